import { z } from 'zod';
import { characters } from './characters.ts';
import { sessionView } from './access.contract.ts';
import { time } from './dates.ts';
import { endpoint } from './endpoint.ts';

const secret = z.string().min(20).max(100);

export const beginPairing = endpoint({
  method: 'POST',
  path: '/auth/zoho/pairings',
  summary:
    'Begin a sign-in with Zoho for a panel: a code to show, an address to open, and a secret to poll with; answers alike for any organization',
  guard: 'anyone',
  answersSecret: true,
  input: z.strictObject({ organization_id: z.string().regex(/^\d{1,20}$/) }),
  output: z.object({
    pairing_id: z.string(),
    poll_secret: z.string(),
    code: z.string(),
    approval_url: z.string(),
    expires_at: time,
  }),
});

export const pollPairing = endpoint({
  method: 'POST',
  path: '/auth/zoho/pairings/poll',
  summary: 'How far a pairing has come; the session, once, when it was approved',
  guard: 'anyone',
  answersSecret: true,
  /**
   * `device_token`: of an earlier sign-in on this device, so that the second factor need not be
   * given once more.
   */
  input: z.strictObject({
    pairing_id: z.string().min(1).max(60),
    poll_secret: secret,
    device_token: secret.optional(),
  }),
  output: z.object({
    state: z.enum(['waiting', 'approving', 'refused', 'over', 'done']),
    /** Why it was refused. */
    problem: z.object({ code: z.string(), title: z.string(), detail: z.string() }).nullable(),
    session: sessionView.nullable(),
  }),
});

export const takePairing = endpoint({
  method: 'POST',
  path: '/auth/zoho/approvals',
  summary:
    'Take the code that a panel shows: where to approve at Zoho, and a secret for this browser; a code works once',
  guard: 'anyone',
  answersSecret: true,
  input: z.strictObject({ code: characters(z.string().trim().min(1), 40) }),
  output: z.object({ consent_url: z.string(), browser_secret: z.string(), expires_at: time }),
});

export const finishApproval = endpoint({
  method: 'POST',
  path: '/auth/zoho/approvals/callback',
  summary:
    'What Zoho sent the browser back with, given by the browser that began; answers which panel, in which business, wants to sign in',
  guard: 'anyone',
  input: z.strictObject({
    state: z.string().min(1).max(300),
    browser_secret: secret,
    code: z.string().min(1).max(500).optional(),
    error: z.string().max(200).optional(),
    location: z.string().max(20).optional(),
    'accounts-server': z.string().max(200).optional(),
  }),
  output: z.object({
    business_name: z.string(),
    organization_name: z.string(),
    organization_id: z.string(),
    zoho_user: z.object({ name: z.string(), email: z.string() }),
    panel: z.object({ address: z.string(), user_agent: z.string().nullable(), opened_at: time }),
    expires_at: time,
  }),
});

export const answerApproval = endpoint({
  method: 'POST',
  path: '/auth/zoho/approvals/answer',
  summary:
    'Say whether it was you who opened the panel just now; yes signs the panel in, no ends it',
  guard: 'anyone',
  input: z.strictObject({ browser_secret: secret, opened_by_me: z.boolean() }),
  output: z.object({ state: z.enum(['approved', 'refused']) }),
});

export const renewSession = endpoint({
  method: 'POST',
  path: '/auth/refresh',
  summary:
    'A new token and a new refresh token for a refresh token, which works once; asks Zoho now and then whether its user is still there',
  guard: 'anyone',
  answersSecret: true,
  input: z.strictObject({ refresh_token: z.string().min(20).max(200) }),
  output: sessionView,
});
