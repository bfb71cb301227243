import type { Recorder } from '../../audit/index.ts';
import type { Context } from '../../context.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import type { DeriveSecret } from '../../platform/derived-secret.ts';
import type { Log } from '../../platform/log.ts';
import type { SendMail } from '../../platform/mail.ts';
import type { NewId } from '../../platform/new-id.ts';
import type { Notify } from '../notify-person.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { VerifyCredentials } from '../sign-in.ts';
import type { Tries } from '../tries.ts';

export type WayBackPorts = {
  database: Database;
  clock: Clock;
  newId: NewId;
  record: Recorder;
  sessions: Sessions;
  tries: Tries;
  notify: Notify;
  derive: DeriveSecret;
  checkWho: VerifyCredentials;
  sendMail: SendMail;
  contextOf(businessId: string): Context;
  background(work: Promise<unknown>): void;
  log: Log;
  publicUrl: string;
};

/** Derives the secret of the link by which an admin objects to a request. */
export const objectionSecret = (
  { derive }: Pick<WayBackPorts, 'derive'>,
  businessId: string,
  id: string,
): string => derive('way_back', businessId, id);
