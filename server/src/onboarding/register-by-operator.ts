import { cut } from '@muhuri/shared/text';
import { holdPerson, mailInvitation, insertInvitation } from '../access/index.ts';
import type { OperatorLogRecorder, Recorder } from '../audit/index.ts';
import { insertBranch } from '../branches/index.ts';
import {
  checkGoLive,
  defaultSettings,
  earliestGoLive,
  getBusiness,
  insertBusiness,
  insertDirectoryEntry,
  raiseEarliestGoLive,
  type Business,
} from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { SendMail } from '../platform/mail.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { Dialect, Dialects } from '../ports/dialect/index.ts';
import { takenError } from './unique-violation.ts';

type Ports = {
  database: Database;
  vault: Vault;
  clock: Clock;
  newId: NewId;
  record: Recorder;
  recordPlatform: OperatorLogRecorder;
  dialects: Dialects;
  sendMail: SendMail;
  publicUrl: string;
  day(at: Date, timeZone: string): string;
};

type RegistrationInput = {
  business_name: string;
  email: string;
  location: string;
  tin_number: string;
  phone_number: string;
  /** Left out, it is the one country that is served. */
  country?: string | undefined;
  vat_registered: boolean;
  go_live_date?: string | undefined;
  admin_email: string;
};

type Registering = { businessId: string; ask: RegistrationInput; dialect: Dialect; at: Date };

/**
 * Registers a business with a head office and an invitation for its first admin, in one transaction
 * over both schemas. It is *pending* until its setup has proved every step. If the mail cannot be
 * sent, the business stands without the invitation, the answer says so, and its admin is invited
 * once more.
 */
export const registerByOperator =
  (ports: Ports) =>
  async (
    contextOf: (businessId: string) => Context,
    ask: RegistrationInput,
  ): Promise<{ business: Business; expiresAt: Date; isMailed: boolean }> => {
    const dialect = chooseDialect(ports, ask);
    const at = ports.clock.now();
    const businessId = ports.newId('business');
    const ctx = contextOf(businessId);
    const made = await ports.database
      .registration(async (tx, enter) => {
        // An operator who is being ended leaves no way in behind that was not looked for.
        if (ctx.actor.type === 'operator' && !(await holdPerson(tx, ctx.actor.id)))
          throw new AppError('not_signed_in');
        await insertInDirectory(ports, tx, ctx, { ask, at });
        const earliest = await earliestGoLive(tx, {
          taxpayerId: ask.tin_number,
          organizationId: null,
        });
        await enter(businessId);
        await insertBusiness(tx, businessOf(ports, { businessId, ask, dialect, at }), at);
        await raiseEarliestGoLive(tx, earliest);
        if (ask.go_live_date) await checkGoLive(tx, ask.go_live_date);
        return insertFirstThings(ports, tx, ctx, { ask, at });
      })
      .catch((error: unknown) => {
        throw takenError(error) ?? error;
      });
    const { business, entry, token } = made;
    const mailing = mailInvitation(ports, ctx, {
      id: entry.id,
      email: ask.admin_email,
      businessName: ask.business_name,
      token,
    });
    return {
      business,
      expiresAt: entry.expiresAt,
      isMailed: await mailing.then(() => true, isUnmailed),
    };
  };

/** Chooses the dialect of the country, and refuses a number that is no taxpayer's there. */
function chooseDialect({ dialects }: Ports, ask: RegistrationInput): Dialect {
  const country = ask.country ?? onlyCountry(dialects);
  const dialect = dialects.in(country);
  if (!dialect) throw new AppError('malformed', { field: 'country', reason: 'not served yet' });
  if (!dialect.identity.checkTaxpayerId(ask.tin_number))
    throw new AppError('malformed', {
      field: 'tin_number',
      reason: `not a taxpayer id of ${country}`,
    });
  return dialect;
}

/** The country of every dialect: where there are several, it is named. */
function onlyCountry(dialects: Dialects): string {
  const [only, ...others] = new Set(dialects.all().map(({ identity }) => identity.country));
  if (only === undefined || others.length > 0)
    throw new AppError('malformed', { field: 'country', reason: 'one of several that are served' });
  return only;
}

/** Inserts what is unique among businesses, with its line in the operator's log. */
async function insertInDirectory(
  ports: Ports,
  tx: Tx,
  ctx: Context,
  { ask, at }: Pick<Registering, 'ask' | 'at'>,
): Promise<void> {
  const { businessId, actor, origin, requestId } = ctx;
  const { business_name, tin_number, email } = ask;
  await insertDirectoryEntry(
    tx,
    {
      businessId,
      name: business_name,
      status: 'pending',
      taxpayerId: tin_number,
      email,
      organizationId: null,
    },
    at,
  );
  await ports.recordPlatform(
    tx,
    { type: actor.type, id: actor.id, origin, requestId },
    {
      action: 'business.registered',
      subject: businessId,
      after: { business_name, tin_number, email },
    },
  );
}

const businessOf = (
  ports: Ports,
  { businessId, ask, dialect, at }: Registering,
): Parameters<typeof insertBusiness>[1] => ({
  id: businessId,
  name: ask.business_name,
  email: ask.email,
  location: ask.location,
  taxpayerId: ask.tin_number,
  phone: ask.phone_number,
  status: 'pending',
  country: dialect.identity.country,
  isVatRegistered: ask.vat_registered,
  goLiveDate: ask.go_live_date ?? ports.day(at, dialect.identity.timeZone),
  settings: defaultSettings,
  branding: {
    trade_name: cut(ask.business_name, 100),
    address_lines: [cut(ask.location, 100)],
    email: ask.email,
    phone: ask.phone_number,
    accent_color: '#1f2329',
    logo: null,
    legal_lines: [],
    top_message: '',
    bottom_message: '',
  },
  dataKey: ports.vault.newDataKey(businessId),
});

/** Inserts the head office and the invitation of the first admin. */
async function insertFirstThings(
  ports: Ports,
  tx: Tx,
  ctx: Context,
  { ask, at }: Pick<Registering, 'ask' | 'at'>,
) {
  const { businessId } = ctx;
  await insertBranch(
    tx,
    businessId,
    { id: ports.newId('branch'), code: '00', name: 'Head office', address: ask.location },
    at,
  );
  await ports.record(tx, ctx, {
    action: 'business.registered',
    subject: businessId,
    after: { tin_number: ask.tin_number, email: ask.email },
  });
  const invitation = await insertInvitation(tx, ctx, ports, {
    email: ask.admin_email,
    role: 'business_admin',
    permissions: [],
  });
  return { business: await getBusiness(tx), ...invitation };
}

/**
 * Says that the mail was not sent. The business is registered nevertheless: an error would have the
 * operator register it once more, which is refused.
 */
function isUnmailed(error: unknown): false {
  if (error instanceof AppError && error.code === 'mail_unavailable') return false;
  throw error;
}
