import { z } from 'zod';
import { characters } from './characters.ts';
import { time } from './dates.ts';
import { endpoint } from './endpoint.ts';
import { maker } from './maker.ts';

const organizationId = z.string().regex(/^\d{1,20}$/);
const oneLine = (max: number) => characters(z.string().trim().min(1), max);

/** What a consent is asked for: reading always, the rest where the business wants it. */
export const abilities = ['read', 'write_back', 'install'] as const;

const consentView = z
  .object({
    id: z.string(),
    /**
     * What this grant can see at Zoho; `here` says that a business of this person is bound to it.
     */
    organizations: z.array(
      z.object({
        organization_id: z.string(),
        name: z.string(),
        currency_code: z.string(),
        role: z.string(),
        business_id: z.string().nullable(),
      }),
    ),
    /** The businesses this person administers. */
    businesses: z.array(
      z.object({
        business_id: z.string(),
        business_name: z.string(),
        organization_id: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'ZohoConsent' });

export const connect = endpoint({
  method: 'POST',
  path: '/oauth/connect',
  summary:
    'Begin a consent at Zoho: where the browser goes to approve; holds ten minutes and once, for this session only',
  guard: 'manage_business',
  secondFactor: true,
  answersSecret: true,
  input: z.strictObject({
    data_centre: characters(z.string().trim(), 100).default('com'),
    abilities: z.array(z.enum(abilities)).max(3).default(['read', 'write_back', 'install']),
    client_id: oneLine(200).optional(),
    client_secret: oneLine(200).optional(),
  }),
  output: z.object({
    consent_url: z.string(),
    scopes: z.array(z.string()),
    redirect_uri: z.string(),
    expires_at: time,
  }),
});

export const finishConsent = endpoint({
  method: 'POST',
  path: '/oauth/callback',
  summary:
    'What Zoho sent the browser back with, given by the session that began it; answers what the grant can see',
  guard: 'manage_business',
  input: z.strictObject({
    state: z.string().min(1).max(300),
    code: z.string().min(1).max(500).optional(),
    error: z.string().max(200).optional(),
    location: z.string().max(20).optional(),
    'accounts-server': z.string().max(200).optional(),
  }),
  output: consentView,
});

export const readConsent = endpoint({
  method: 'GET',
  path: '/oauth/consents/{id}',
  summary: 'What a consent of this person can see, and which of their businesses it may serve',
  guard: 'manage_business',
  output: consentView,
});

export const bindOrganization = endpoint({
  method: 'POST',
  path: '/oauth/consents/{id}/connections',
  summary:
    'Bind an organization the consent sees to a business this person administers; needs Zoho’s admin role in it',
  guard: 'manage_business',
  secondFactor: true,
  input: z.strictObject({
    organization_id: organizationId,
    business_id: z.string().max(60),
    /**
     * Other books than before, although so many documents of those are not settled: they stay as
     * they are until those are connected again.
     */
    leave_open: z.number().int().min(0).max(10_000_000).optional(),
  }),
  output: consentView,
});

export const statusView = z
  .object({
    connection_id: z.string(),
    organization_id: z.string(),
    status: z.enum(['active', 'needs_reconnecting', 'ended']),
    connected_at: time,
    /** Who connected it; null where it was set up with the business. */
    made_by: maker.nullable(),
    ended_at: time.nullable(),
    api_domain: z.string().nullable(),
    scopes: z.array(z.string()),
    /** Whether the caller consented, and so may map more organizations under the same grant. */
    is_own_consent: z.boolean(),
    /** The consent to map more organizations with, where it is the caller's own. */
    consent_id: z.string().nullable(),
    has_own_client: z.boolean(),
  })
  .meta({ id: 'ZohoConnection' });

export const connectionStatus = endpoint({
  method: 'GET',
  path: '/oauth/status/{id}',
  summary: 'A connection with Zoho, present or ended',
  guard: 'read',
  output: statusView,
});

export const disconnect = endpoint({
  method: 'POST',
  path: '/oauth/disconnect/{id}',
  summary:
    'End the connection; the grant is revoked at Zoho when no other business lives by it. What was sealed stays',
  guard: 'manage_business',
  secondFactor: true,
  output: statusView,
});
