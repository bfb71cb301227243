import type { SaleReply } from '../../ports/dialect/index.ts';
import type { Sent } from '../../ports/vsdc.ts';
import {
  closeSocket,
  endAttempt,
  findAttemptStatus,
  reopenSocket,
} from '../receipt/attempt.store.ts';
import { hearLate } from './record-late-signature.ts';
import { ended, endedAs, type Recording } from './outcome.ts';

/**
 * Handles an outcome that is recorded already, or whose document has its signature; says whether
 * it was. Either our own commit succeeded and only its confirmation was lost (then what it froze
 * for the next document was never sent), or another worker took this one for gone. The answer is
 * kept and undoes nothing; a signature is heard as one that comes late.
 */
export async function isStandingRecorded(
  recording: Recording,
  sent: Sent,
  reply: SaleReply | null,
): Promise<boolean> {
  const { ports, tx, sending, response, at } = recording;
  const stands = await findAttemptStatus(tx, sending.attemptId, ports.worker);
  if (!stands.isEnded && !stands.isSigned) return false;
  if (stands.unsent)
    await endAttempt(tx, stands.unsent, {
      ...ended('unreachable', { deviceCode: '', deviceText: 'never sent' }, null, at),
      mayHaveLeft: false,
    });
  if (!stands.isEnded)
    await endAttempt(tx, sending.attemptId, {
      ...endedAs(recording, sent, reply),
      resolution: 'signed',
    });
  else if (response) await closeSocket(tx, sending.attemptId, at, response);
  // Until the socket is closed or has brought an answer, nothing is sent again, whoever works the
  // lane.
  else if (sent.is === 'in_doubt') await reopenSocket(tx, sending.attemptId);
  // An answer that was heard before has been judged: what cannot be the document's does not become
  // its own by being told again.
  if (reply?.is === 'signed' && !stands.isHeard) await hearLate(recording, reply.signature);
  return true;
}
