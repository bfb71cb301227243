import type { OperatorLogRecorder, Recorder } from '../../audit/index.ts';
import type { Context } from '../../context.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import type { DeriveSecret } from '../../platform/derived-secret.ts';
import type { Log } from '../../platform/log.ts';
import type { SendMail } from '../../platform/mail.ts';
import type { NewId } from '../../platform/new-id.ts';
import { listMemberships } from '../membership.store.ts';
import type { Notify } from '../notify-person.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Tries } from '../tries.ts';
import type { AddressChange } from './address-change.store.ts';

export type AddressChangePorts = {
  database: Database;
  clock: Clock;
  newId: NewId;
  record: Recorder;
  recordPlatform: OperatorLogRecorder;
  sessions: Sessions;
  notify: Notify;
  tries: Tries;
  derive: DeriveSecret;
  sendMail: SendMail;
  contextOf(businessId: string): Context;
  background(work: Promise<unknown>): void;
  log: Log;
  publicUrl: string;
};

/** Derives the secret of the link by which people object to a change. */
export const objectionSecret = (
  { derive }: Pick<AddressChangePorts, 'derive'>,
  id: string,
): string => derive('address_change', id);

/** Records an action in the log of every business the person works for. */
export async function recordInBusinesses(
  ports: AddressChangePorts,
  { personId }: Pick<AddressChange, 'personId'>,
  action: string,
  who: Partial<Pick<Context, 'actor' | 'origin'>>,
  after: object,
): Promise<void> {
  const places = await ports.database.platform((tx) => listMemberships(tx, personId));
  for (const { businessId, membershipId } of places) {
    const ctx = { ...ports.contextOf(businessId), ...who };
    await ctx.transaction((tx) => ports.record(tx, ctx, { action, subject: membershipId, after }));
  }
}
