import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import type { DeriveSecret } from '../../platform/derived-secret.ts';
import type { Log } from '../../platform/log.ts';
import type { SendMail } from '../../platform/mail.ts';
import type { NewId } from '../../platform/new-id.ts';
import type { Notify } from '../notify-person.ts';
import type { SecondFactor } from '../second-factor/second-factor.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Tries } from '../tries.ts';

export type AccountPorts = {
  database: Database;
  clock: Clock;
  newId: NewId;
  sessions: Sessions;
  factor: SecondFactor;
  tries: Tries;
  notify: Notify;
  derive: DeriveSecret;
  sendMail: SendMail;
  background(work: Promise<unknown>): void;
  publicUrl: string;
  log: Log;
};

const hourMs = 3_600_000;
/** Mails sent to one person, and because of one network or to one address. */
export const mailsToPerson = { max: 3, withinMs: hourMs };
export const mailsFromAddress = { max: 10, withinMs: hourMs };
