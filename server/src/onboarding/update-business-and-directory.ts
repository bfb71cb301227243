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
import { takenError } from './unique-violation.ts';

export type ManagePorts = {
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

/** A change of what is unique among businesses, in the directory and in the business itself. */
type BothChange = {
  action: string;
  /** What the operator's log shows of it. */
  after: object;
  inDirectory(tx: Tx): Promise<unknown>;
  inBusiness(tx: Tx): Promise<unknown>;
};

/** Changes the directory and the business in one transaction, with a line in the operator's log. */
export async function changeInBoth(
  ports: ManagePorts,
  ctx: Context,
  { action, after, inDirectory, inBusiness }: BothChange,
): Promise<void> {
  const { actor, origin, requestId } = ctx;
  await ports.database
    .registration(async (tx, enter) => {
      if (!(await findDirectoryEntry(tx, ctx.businessId))) throw new AppError('not_found');
      await inDirectory(tx);
      await ports.recordPlatform(
        tx,
        { type: actor.type, id: actor.id, origin, requestId },
        { action, subject: ctx.businessId, after },
      );
      await enter(ctx.businessId);
      await inBusiness(tx);
    })
    .catch((error: unknown) => {
      throw takenError(error) ?? error;
    });
}

type Shown = Pick<
  Business,
  'name' | 'email' | 'location' | 'taxpayerId' | 'phone' | 'isVatRegistered'
>;

/** Shows a business as the logs do. */
export const shown = (business: Shown) => ({
  business_name: business.name,
  email: business.email,
  location: business.location,
  tin_number: business.taxpayerId,
  phone_number: business.phone,
  vat_registered: business.isVatRegistered,
});
