import { z } from 'zod';
import { characters } from './characters.ts';
import { grantable, scopes } from '../permissions.ts';
import { time } from './dates.ts';
import { endpoint } from './endpoint.ts';
import { maker } from './maker.ts';

const organizationId = z.string().regex(/^\d{1,20}$/);
/**
 * Plain Latin letters, digits and . _ @ + -: no look-alikes of another alphabet, no invisible
 * characters.
 */
export const username = z
  .string()
  .trim()
  .toLowerCase()
  .regex(
    /^[a-z0-9](?:[a-z0-9._@+-]{1,98})[a-z0-9]$/,
    'must be 3 to 100 Latin letters, digits or . _ @ + -',
  );
export const personName = characters(
  z
    .string()
    .trim()
    .min(1)
    .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'must hold no control characters'),
  100,
);
export const email = z.email().max(200).toLowerCase();
export const newPassword = z.string().min(12, 'must have at least 12 characters').max(200);
const code = z
  .string()
  .trim()
  .regex(/^\d{6}$/, 'must be the six digits of your authenticator');
const recoveryCode = characters(z.string().trim().min(10), 40);
const deviceToken = z.string().min(20).max(100);
/** What is given beside the password where a second factor is set up: one of these. */
const proof = {
  /** The authenticator's code. */
  code: code.optional(),
  /** One of the codes kept for the day the authenticator is lost; each works once. */
  recovery_code: recoveryCode.optional(),
  /** What an earlier sign-in on this device answered, when it was asked to be remembered. */
  device_token: deviceToken.optional(),
  /**
   * Asks for a `device_token`: for thirty days this device need not give the second factor at
   * sign-in.
   */
  remember_device: z.boolean().optional(),
};
const secret = z.string().min(20).max(200);
const role = z.enum(['business_admin', 'business_user']);
const single = z.array(z.enum(grantable)).max(grantable.length);

export const personView = z
  .object({ id: z.string(), username: z.string(), name: z.string(), email: z.string() })
  .meta({ id: 'Person' });
export const businessView = z
  .object({
    id: z.string(),
    business_name: z.string(),
    tin_number: z.string(),
    organization_id: z.string().nullable(),
    role,
    permissions: z.array(z.string()),
  })
  .meta({ id: 'BusinessOfSession' });

const session = {
  expires_at: time,
  person: personView,
  business: businessView.nullable(),
  /** True for the operator, who belongs to no business. */
  is_operator: z.boolean(),
  /** `none`: not set up; `needed`: set up, not given in this session lately; `passed`: given. */
  second_factor: z.enum(['none', 'needed', 'passed']),
};
export const sessionView = z
  .object({
    token: z.string(),
    /** Of a session by Zoho: renews it, once. The session ends with `expires_at` otherwise. */
    refresh_token: z.string().optional(),
    /** Where this device was asked to be remembered; answered once. */
    device_token: z.string().optional(),
    ...session,
  })
  .meta({ id: 'Session' });

/** Whom the caller works for now, which every answer to somebody signed in says. */
const ofBusiness = { business: businessView.nullable() };

export const login = endpoint({
  method: 'POST',
  path: '/auth/login',
  summary:
    'Sign in with username, password and the second factor where one is set up; answers a bearer token for one membership',
  guard: 'anyone',
  answersSecret: true,
  input: z.strictObject({
    username: z.string().min(1).max(200),
    password: z.string().min(1).max(1000),
    organization_id: organizationId.optional(),
    business_id: z.string().max(60).optional(),
    ...proof,
  }),
  output: sessionView,
});

export const switchMembership = endpoint({
  method: 'POST',
  path: '/auth/switch',
  summary:
    'Change to another membership of the same person; answers a new token and ends the old one',
  guard: 'signed_in',
  answersSecret: true,
  input: z.strictObject({ business_id: z.string().min(1).max(60) }),
  output: sessionView,
});

export const logout = endpoint({
  method: 'POST',
  path: '/auth/logout',
  summary: 'End this session',
  guard: 'signed_in',
  output: z.object(ofBusiness),
});

export const me = endpoint({
  method: 'GET',
  path: '/auth/me',
  summary: 'Who is signed in, for which business',
  guard: 'signed_in',
  output: z.object(session),
});

export const listMemberships = endpoint({
  method: 'GET',
  path: '/auth/memberships',
  summary: 'The businesses this person works for',
  guard: 'signed_in',
  output: z.object({
    memberships: z.array(z.object({ business_id: z.string(), business_name: z.string() })),
    next_cursor: z.null(),
    ...ofBusiness,
  }),
});

const emailState = {
  /** Whether a link mailed to the present address was opened. */
  email_verified: z.boolean(),
  /** An address that takes the place of the present one once the link mailed there is opened. */
  email_pending: z.string().nullable(),
};

export const updateProfile = endpoint({
  method: 'PUT',
  path: '/auth/profile',
  summary:
    'Change one’s own name at once, and one’s e-mail address once it is confirmed by a link mailed there; a new address asks for the password',
  guard: 'signed_in',
  input: z.strictObject({
    name: personName,
    email,
    current_password: z.string().min(1).max(1000).optional(),
  }),
  output: z.object({ ...session, ...emailState }),
});

export const readProfile = endpoint({
  method: 'GET',
  path: '/auth/profile',
  summary: 'One’s own account, and whether its e-mail address is confirmed',
  guard: 'signed_in',
  output: z.object({ ...session, ...emailState }),
});

export const sendEmailLink = endpoint({
  method: 'POST',
  path: '/auth/email/send',
  summary: 'Mail the link that confirms one’s address once more',
  guard: 'signed_in',
  output: z.object(ofBusiness),
});

export const confirmEmail = endpoint({
  method: 'POST',
  path: '/auth/email/confirm',
  summary: 'Confirm an e-mail address by the link that was mailed there',
  guard: 'anyone',
  input: z.strictObject({ token: secret }),
  output: z.object({ email: z.string() }),
});

export const changePassword = endpoint({
  method: 'POST',
  path: '/auth/password',
  summary:
    'Change one’s own password, with the second factor where one is set up; every other session of this person ends',
  guard: 'signed_in',
  input: z.strictObject({
    current_password: z.string().min(1).max(1000),
    new_password: newPassword,
  }),
  output: z.object(ofBusiness),
});

export const forgotPassword = endpoint({
  method: 'POST',
  path: '/auth/password/forgot',
  summary:
    'Ask for a link to set a new password; answers the same whether the person exists or not',
  guard: 'anyone',
  input: z.strictObject({ username: z.string().min(1).max(200) }),
  output: z.object({}),
});

export const resetPassword = endpoint({
  method: 'POST',
  path: '/auth/password/reset',
  summary: 'Set a new password by the link; every session of this person ends',
  guard: 'anyone',
  input: z.strictObject({ token: secret, new_password: newPassword }),
  output: z.object({}),
});

export const beginTotp = endpoint({
  method: 'POST',
  path: '/auth/totp',
  summary: 'Begin to set up an authenticator; answers its secret once',
  guard: 'signed_in',
  answersSecret: true,
  input: z.strictObject({ password: z.string().min(1).max(1000) }),
  output: z.object({ secret: z.string(), uri: z.string(), qr_svg: z.string(), ...ofBusiness }),
});

export const confirmTotp = endpoint({
  method: 'POST',
  path: '/auth/totp/confirm',
  summary: 'Finish setting up the authenticator with its first code; answers recovery codes, once',
  guard: 'signed_in',
  answersSecret: true,
  input: z.strictObject({ code }),
  output: z.object({ ...session, recovery_codes: z.array(z.string()) }),
});

export const passSecondFactor = endpoint({
  method: 'POST',
  path: '/auth/second-factor',
  summary:
    'Give the authenticator’s code, or a recovery code, in this session; holds for fifteen minutes',
  guard: 'signed_in',
  answersSecret: true,
  input: z
    .strictObject({ code: code.optional(), recovery_code: recoveryCode.optional() })
    .refine((given) => (given.code === undefined) !== (given.recovery_code === undefined), {
      path: ['code'],
      message: 'give the code or a recovery code',
    }),
  output: z.object({ ...session, device_token: z.string().optional() }),
});

export const removeTotp = endpoint({
  method: 'POST',
  path: '/auth/totp/remove',
  summary: 'Remove the authenticator, with its recovery codes and remembered devices',
  guard: 'signed_in',
  secondFactor: true,
  input: z.strictObject({ password: z.string().min(1).max(1000) }),
  output: z.object(ofBusiness),
});

const rememberedDevice = z
  .object({
    id: z.string(),
    address: z.string().nullable(),
    user_agent: z.string().nullable(),
    created_at: time,
    last_used_at: time,
    expires_at: time,
  })
  .meta({ id: 'RememberedDevice' });

export const readSecondFactor = endpoint({
  method: 'GET',
  path: '/auth/second-factor',
  summary:
    'How many recovery codes are left, and the devices that need not give the second factor at sign-in',
  guard: 'signed_in',
  output: z.object({
    recovery_codes_left: z.number(),
    devices: z.array(rememberedDevice),
    next_cursor: z.null(),
    ...ofBusiness,
  }),
});

export const renewRecoveryCodes = endpoint({
  method: 'POST',
  path: '/auth/recovery-codes',
  summary: 'Make new recovery codes, answered once; the former ones no longer work',
  guard: 'signed_in',
  answersSecret: true,
  secondFactor: true,
  output: z.object({ recovery_codes: z.array(z.string()), ...ofBusiness }),
});

export const forgetDevice = endpoint({
  method: 'POST',
  path: '/auth/devices/{id}/forget',
  summary: 'Have a remembered device asked for the second factor again',
  guard: 'signed_in',
  output: z.object(ofBusiness),
});

const sessionEntry = z
  .object({
    id: z.string(),
    business_name: z.string().nullable(),
    address: z.string().nullable(),
    user_agent: z.string().nullable(),
    created_at: time,
    last_seen_at: time.nullable(),
    is_current: z.boolean(),
  })
  .meta({ id: 'SessionEntry' });

export const listSessions = endpoint({
  method: 'GET',
  path: '/auth/sessions',
  summary: 'One’s own living sessions, in every business',
  guard: 'signed_in',
  output: z.object({ sessions: z.array(sessionEntry), next_cursor: z.null(), ...ofBusiness }),
});

export const endSession = endpoint({
  method: 'POST',
  path: '/auth/sessions/{id}/end',
  summary: 'End one of one’s own sessions',
  guard: 'signed_in',
  output: z.object(ofBusiness),
});

export const endOtherSessions = endpoint({
  method: 'POST',
  path: '/auth/sessions/end-others',
  summary: 'End every session of one’s own but this one, shown in the list or not',
  guard: 'signed_in',
  output: z.object(ofBusiness),
});

export const listSignIns = endpoint({
  method: 'GET',
  path: '/auth/sign-ins',
  summary: 'One’s own sign-ins and failed tries of the last ninety days',
  guard: 'signed_in',
  output: z.object({
    sign_ins: z.array(
      z.object({
        at: time,
        address: z.string(),
        user_agent: z.string().nullable(),
        succeeded: z.boolean(),
      }),
    ),
    next_cursor: z.null(),
    ...ofBusiness,
  }),
});

export const readInvitation = endpoint({
  method: 'POST',
  path: '/auth/invitation',
  summary: 'What an invitation is for',
  guard: 'anyone',
  input: z.strictObject({ token: secret }),
  output: z.object({ business_name: z.string(), email: z.string(), role, expires_at: time }),
});

export const acceptInvitation = endpoint({
  method: 'POST',
  path: '/auth/invitation/accept',
  summary: 'Accept an invitation: with a new account, or with the account one has',
  guard: 'anyone',
  answersSecret: true,
  input: z.discriminatedUnion('account', [
    z.strictObject({
      account: z.literal('new'),
      token: secret,
      username,
      name: personName,
      password: newPassword,
    }),
    z.strictObject({
      account: z.literal('existing'),
      token: secret,
      username: z.string().min(1).max(200),
      password: z.string().min(1).max(1000),
      ...proof,
    }),
  ]),
  output: sessionView,
});

export const becomeOperator = endpoint({
  method: 'POST',
  path: '/auth/first-operator',
  summary: 'Make the first operator by the link the console printed',
  guard: 'anyone',
  answersSecret: true,
  input: z.strictObject({
    token: secret,
    username,
    name: personName,
    email,
    password: newPassword,
  }),
  output: sessionView,
});

export const personEntry = z
  .object({
    id: z.string(),
    person_id: z.string(),
    username: z.string(),
    name: z.string(),
    email: z.string(),
    role,
    permissions: z.array(z.string()),
    status: z.enum(['active', 'ended']),
    has_second_factor: z.boolean(),
    /** Whether they have entered with their Zoho account. */
    has_zoho_user: z.boolean(),
    /** Kept out by the operator of the platform. */
    is_blocked: z.boolean(),
    last_sign_in_at: time.nullable(),
    version: z.number(),
    created_at: time,
  })
  .meta({ id: 'Member' });

export const listPeople = endpoint({
  method: 'GET',
  path: '/people',
  summary: 'Who works for the business',
  guard: 'manage_people',
  output: z.object({ people: z.array(personEntry), next_cursor: z.string().nullable() }),
});

/**
 * Keys that somebody made who is no admin from now on, and that go on all the same. The others of
 * theirs end; the admins are mailed which.
 */
const keepKeys = z.array(z.string().min(1).max(60)).max(100).optional();

export const changeMember = endpoint({
  method: 'PUT',
  path: '/people/{id}',
  summary: 'Change a member’s role and single permissions',
  guard: 'manage_people',
  secondFactor: true,
  input: z.strictObject({ role, permissions: single, version: z.int(), keep_api_keys: keepKeys }),
  output: personEntry,
});

export const endMember = endpoint({
  method: 'POST',
  path: '/people/{id}/end',
  summary:
    'End a membership with its sessions and the API keys that person made; the last admin stays',
  guard: 'manage_people',
  secondFactor: true,
  input: z.strictObject({ keep_api_keys: keepKeys }),
  output: personEntry,
});

const invitationEntry = z
  .object({
    id: z.string(),
    email: z.string(),
    role,
    permissions: z.array(z.string()),
    state: z.enum(['open', 'accepted', 'withdrawn', 'expired']),
    expires_at: time,
    created_at: time,
  })
  .meta({ id: 'Invitation' });

export const listInvitations = endpoint({
  method: 'GET',
  path: '/invitations',
  summary: 'Invitations of the business',
  guard: 'manage_people',
  output: z.object({ invitations: z.array(invitationEntry), next_cursor: z.string().nullable() }),
});

export const invite = endpoint({
  method: 'POST',
  path: '/invitations',
  summary: 'Invite an address; answers the same whoever it belongs to. The link goes there by mail',
  guard: 'manage_people',
  secondFactor: true,
  input: z.strictObject({ email, role, permissions: single.default([]) }),
  output: invitationEntry,
});

export const withdrawInvitation = endpoint({
  method: 'POST',
  path: '/invitations/{id}/withdraw',
  summary: 'Take an open invitation back',
  guard: 'manage_people',
  output: invitationEntry,
});

export const askWayBack = endpoint({
  method: 'POST',
  path: '/auth/way-back',
  summary:
    'Ask to be let in without the second factor, with the right password; others decide, and every admin is told',
  guard: 'anyone',
  input: z.strictObject({
    username: z.string().min(1).max(200),
    password: z.string().min(1).max(1000),
  }),
  output: z.object({ state: z.literal('asked') }),
});

export const objectToWayBack = endpoint({
  method: 'POST',
  path: '/auth/way-back/object',
  summary: 'Object to a way back, or to another address of an admin, by the link that was mailed',
  guard: 'anyone',
  input: z.strictObject({ token: secret }),
  output: z.object({ state: z.literal('objected') }),
});

export const wayBackEntry = z
  .object({
    id: z.string(),
    person_id: z.string(),
    name: z.string(),
    username: z.string(),
    address: z.string().nullable(),
    user_agent: z.string().nullable(),
    asked_at: time,
    expires_at: time,
    /** When an operator may decide, if no other admin is there to. */
    operator_from: time,
    has_other_admin: z.boolean(),
  })
  .meta({ id: 'WayBack' });

export const listWaysBack = endpoint({
  method: 'GET',
  path: '/ways-back',
  summary: 'Who has lost their second factor and asks to be let in',
  guard: 'manage_people',
  output: z.object({ ways_back: z.array(wayBackEntry), next_cursor: z.null() }),
});

export const grantWayBack = endpoint({
  method: 'POST',
  path: '/ways-back/{id}/grant',
  summary:
    'Let somebody else back in: their second factor is removed once every business they work for has agreed',
  guard: 'manage_people',
  secondFactor: true,
  output: z.object({ state: z.string() }),
});

export const refuseWayBack = endpoint({
  method: 'POST',
  path: '/ways-back/{id}/refuse',
  summary: 'Refuse a way back',
  guard: 'manage_people',
  output: z.object({ state: z.string() }),
});

const operatorEntry = z
  .object({
    id: z.string(),
    username: z.string(),
    name: z.string(),
    email: z.string(),
    has_second_factor: z.boolean(),
    last_sign_in_at: time.nullable(),
    created_at: time,
    is_self: z.boolean(),
  })
  .meta({ id: 'Operator' });

export const listOperators = endpoint({
  method: 'GET',
  path: '/platform/operators',
  summary: 'Who operates the platform',
  guard: 'operate',
  output: z.object({ operators: z.array(operatorEntry), next_cursor: z.null() }),
});

export const inviteOperator = endpoint({
  method: 'POST',
  path: '/platform/operators',
  summary: 'Invite another operator; the link goes there by mail and holds for a day',
  guard: 'operate',
  secondFactor: true,
  input: z.strictObject({ email }),
  output: z.object({ email: z.string(), expires_at: time }),
});

export const endOperator = endpoint({
  method: 'POST',
  path: '/platform/operators/{id}/end',
  summary: 'End an operator with their sessions; the last one stays',
  guard: 'operate',
  secondFactor: true,
  output: z.object({}),
});

export const acceptOperator = endpoint({
  method: 'POST',
  path: '/auth/operator-invitation/accept',
  summary: 'Become an operator by the link of another',
  guard: 'anyone',
  answersSecret: true,
  input: z.strictObject({ token: secret, username, name: personName, password: newPassword }),
  output: sessionView,
});

const keyEntry = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string(),
    scopes: z.array(z.string()),
    /**
     * Who made it, and so has seen it, as they stand now: kept out by the operator, no longer here,
     * or nobody who ever was.
     */
    made_by: maker,
    /** Opens nothing while the operator keeps out whoever made it. */
    is_suspended: z.boolean(),
    created_at: time,
    expires_at: time.nullable(),
    last_used_at: time.nullable(),
    revoked_at: time.nullable(),
  })
  .meta({ id: 'ApiKey' });

export const listKeys = endpoint({
  method: 'GET',
  path: '/api-keys',
  summary: 'API keys of the business, by their prefix',
  guard: 'manage_keys',
  output: z.object({ api_keys: z.array(keyEntry), next_cursor: z.string().nullable() }),
});

export const createKey = endpoint({
  method: 'POST',
  path: '/api-keys',
  summary: 'Create an API key; the key itself is answered once',
  guard: 'manage_keys',
  answersSecret: true,
  secondFactor: true,
  input: z.strictObject({
    name: personName,
    scopes: z.array(z.enum(scopes)).min(1).max(scopes.length),
    expires_at: time.optional(),
  }),
  output: z.object({ key: z.string(), api_key: keyEntry }),
});

export const revokeKey = endpoint({
  method: 'POST',
  path: '/api-keys/{id}/revoke',
  summary: 'Revoke an API key at once',
  guard: 'manage_keys',
  secondFactor: true,
  output: keyEntry,
});
