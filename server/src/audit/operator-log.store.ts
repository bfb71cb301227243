import type { Clock } from '../platform/clock.ts';
import { json, query } from '../platform/db/query.ts';
import type { Tx } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Entry } from './audit-log.store.ts';

/** Who does something on the platform itself, and from where. */
export type OperatorLogActor = {
  type: string;
  id: string;
  origin: string | null;
  requestId: string | null;
};
export type OperatorLogRecorder = (tx: Tx, actor: OperatorLogActor, entry: Entry) => Promise<void>;

/** The operator's own trail, for what belongs to no business (`platform` door). */
export const operatorLogRecorder =
  (clock: Clock, newId: NewId): OperatorLogRecorder =>
  async (tx, actor, entry) => {
    await query(
      tx,
      `insert into reference.platform_audit (id, at, actor_type, actor_id, origin, action, subject, before, after, request_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        newId('audit'),
        clock.now(),
        actor.type,
        actor.id,
        actor.origin,
        entry.action,
        entry.subject,
        json(entry.before),
        json(entry.after),
        actor.requestId,
      ],
    );
  };
