import type { OperatorLogRecorder, Recorder } from '../audit/index.ts';
import { type Business, findDirectoryEntry } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { SendMail } from '../platform/mail.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { Accounts } from '../ports/accounts.ts';
import { takenError } from './register-by-operator.ts';

export type Ports = {
  database: Database;
  clock: Clock;
  newId: NewId;
  record: Recorder;
  recordPlatform: OperatorLogRecorder;
  sendMail: SendMail;
  publicUrl: string;
  vault: Vault;
  accounts: Accounts;
};

/**
 * What is unique among businesses stands in both schemas and changes in both at once, or in none.
 */
export async function inBoth(
  ports: Ports,
  ctx: Context,
  action: string,
  inDirectory: (tx: Tx) => Promise<unknown>,
  inside: (tx: Tx) => Promise<unknown>,
  shown: object,
): Promise<void> {
  await ports.database
    .registration(async (tx, enter) => {
      if (!(await findDirectoryEntry(tx, ctx.businessId))) throw new AppError('not_found');
      await inDirectory(tx);
      const by = {
        type: ctx.actor.type,
        id: ctx.actor.id,
        origin: ctx.origin,
        requestId: ctx.requestId,
      };
      await ports.recordPlatform(tx, by, { action, subject: ctx.businessId, after: shown });
      await enter(ctx.businessId);
      await inside(tx);
    })
    .catch((error: unknown) => {
      throw takenError(error) ?? error;
    });
}

export const shown = (
  is: Pick<Business, 'name' | 'email' | 'location' | 'taxpayerId' | 'phone' | 'isVatRegistered'>,
) => ({
  business_name: is.name,
  email: is.email,
  location: is.location,
  tin_number: is.taxpayerId,
  phone_number: is.phone,
  vat_registered: is.isVatRegistered,
});
