import type { OperatorLogRecorder } from '../../audit/index.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import type { SendMail } from '../../platform/mail.ts';
import type { NewId } from '../../platform/new-id.ts';
import type { SecondFactor } from '../second-factor/second-factor.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Tries } from '../tries.ts';

export type OperatorPorts = {
  database: Database;
  clock: Clock;
  newId: NewId;
  recordPlatform: OperatorLogRecorder;
  sessions: Sessions;
  factor: SecondFactor;
  tries: Tries;
  sendMail: SendMail;
  publicUrl: string;
  endWith: EndWithOperator;
};

/** What ends together with an operator in the businesses, in the same transaction. */
export type EndWithOperator = (
  tx: Tx,
  enter: (businessId: string) => Promise<void>,
  leave: () => Promise<void>,
  operatorId: string,
) => Promise<void>;
