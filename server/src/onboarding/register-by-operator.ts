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
import type { Database } from '../platform/db/database.ts';
import type { SendMail } from '../platform/mail.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { Dialects } from '../ports/dialect/index.ts';

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

export type RegistrationInput = {
  business_name: string;
  email: string;
  location: string;
  tin_number: string;
  phone_number: string;
  country: string;
  vat_registered: boolean;
  go_live_date?: string | undefined;
  admin_email: string;
};

/**
 * A new business with head office and an invitation for its first admin, in one transaction over
 * both schemas. It is *pending* until its setup has proved every step. Where the mail cannot be
 * sent the business stands without the invitation, which is said: its admin is invited once more.
 */
export const registerByOperator =
  (ports: Ports) =>
  async (
    contextOf: (businessId: string) => Context,
    ask: RegistrationInput,
  ): Promise<{ business: Business; expiresAt: Date; isMailed: boolean }> => {
    const { clock, newId } = ports;
    const dialect = ports.dialects.in(ask.country);
    if (!dialect) throw new AppError('malformed', { field: 'country', reason: 'not served yet' });
    if (!dialect.identity.checkTaxpayerId(ask.tin_number))
      throw new AppError('malformed', {
        field: 'tin_number',
        reason: `not a taxpayer id of ${ask.country}`,
      });
    const at = clock.now();
    const businessId = newId('business');
    const ctx = contextOf(businessId);
    const made = await ports.database
      .registration(async (tx, enter) => {
        // Whoever is being ended leaves no way in behind that was not looked for.
        if (ctx.actor.type === 'operator' && !(await holdPerson(tx, ctx.actor.id)))
          throw new AppError('not_signed_in');
        await insertDirectoryEntry(
          tx,
          {
            businessId,
            name: ask.business_name,
            status: 'pending',
            taxpayerId: ask.tin_number,
            email: ask.email,
            organizationId: null,
          },
          at,
        );
        await ports.recordPlatform(
          tx,
          { type: ctx.actor.type, id: ctx.actor.id, origin: ctx.origin, requestId: ctx.requestId },
          {
            action: 'business.registered',
            subject: businessId,
            after: {
              business_name: ask.business_name,
              tin_number: ask.tin_number,
              email: ask.email,
            },
          },
        );
        const earliest = await earliestGoLive(tx, {
          taxpayerId: ask.tin_number,
          organizationId: null,
        });
        await enter(businessId);
        await insertBusiness(
          tx,
          {
            id: businessId,
            name: ask.business_name,
            email: ask.email,
            location: ask.location,
            taxpayerId: ask.tin_number,
            phone: ask.phone_number,
            status: 'pending',
            country: ask.country,
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
          },
          at,
        );
        await raiseEarliestGoLive(tx, earliest);
        if (ask.go_live_date) await checkGoLive(tx, ask.go_live_date);
        await insertBranch(
          tx,
          businessId,
          { id: newId('branch'), code: '00', name: 'Head office', address: ask.location },
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

/**
 * Registered it is, whatever becomes of the mail: to be told that it failed would have it
 * registered once more, which is refused.
 */
function isUnmailed(error: unknown): false {
  if (error instanceof AppError && error.code === 'mail_unavailable') return false;
  throw error;
}

/** Which of the unique things another business has already. */
export function takenError(error: unknown): AppError | null {
  const { code, constraint } = error as { code?: string; constraint?: string };
  if (code !== '23505') return null;
  return new AppError('business_taken', {
    field: constraint?.includes('tin')
      ? 'tin_number'
      : constraint?.includes('email')
        ? 'email'
        : 'organization_id',
  });
}
