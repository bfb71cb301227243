import { z } from 'zod';
import { endpoint } from './endpoint.ts';

const organizationId = z.string().regex(/^\d{1,20}$/);

export const personView = z.object({ id: z.string(), username: z.string(), name: z.string() }).meta({ id: 'Person' });
export const businessView = z
  .object({
    id: z.string(),
    business_name: z.string(),
    tin_number: z.string(),
    organization_id: z.string().nullable(),
    role: z.enum(['business_admin', 'business_user']),
    permissions: z.array(z.string()),
  })
  .meta({ id: 'BusinessOfSession' });

export const sessionView = z
  .object({ token: z.string(), expires_at: z.iso.datetime({ offset: true }), person: personView, business: businessView.nullable() })
  .meta({ id: 'Session' });

export const login = endpoint({
  method: 'POST',
  path: '/auth/login',
  summary: 'Sign in with username and password; answers a bearer token for one membership',
  guard: 'anyone',
  input: z.strictObject({
    username: z.string().min(1).max(200),
    password: z.string().min(1).max(1000),
    organization_id: organizationId.optional(),
    business_id: z.string().max(60).optional(),
  }),
  output: sessionView,
});

export const switchMembership = endpoint({
  method: 'POST',
  path: '/auth/switch',
  summary: 'Change to another membership of the same person; answers a new token and ends the old one',
  guard: 'signed_in',
  input: z.strictObject({ business_id: z.string().min(1).max(60) }),
  output: sessionView,
});

export const logout = endpoint({
  method: 'POST',
  path: '/auth/logout',
  summary: 'End this session',
  guard: 'signed_in',
  output: z.object({}),
});

export const me = endpoint({
  method: 'GET',
  path: '/auth/me',
  summary: 'Who is signed in, for which business',
  guard: 'signed_in',
  output: z.object({ person: personView, business: businessView.nullable(), expires_at: z.iso.datetime({ offset: true }) }),
});
