import { chapter } from '../chapter.ts';
import type { Round } from '../platform/jobs.ts';
import type { Runtime } from '../platform/runtime.ts';
import { recorder } from './audit-log.store.ts';
import { auditWritten } from './audit-written.ts';
import { type AuditListener, chainAuditLog } from './chain-audit-log.ts';
import { operatorLogRecorder } from './operator-log.store.ts';
import { publishHead } from './publish-head.ts';

const chaining: Round = {
  name: 'seal_all',
  everyMs: 60_000,
  woken: { name: 'seal', everyMs: 1_000, by: [auditWritten] },
  actor: 'sealer',
  drain: 'last',
};
const publishing: Round = { name: 'trail_heads', everyMs: 900_000, actor: 'trail_head' };

/** Opens the chapter that says who did what, and lets later chapters follow it. */
export function openAudit(runtime: Runtime, needs: { listeners(): AuditListener[] }) {
  const { clock, newId, log, worker, evidenceSigner } = runtime;
  return chapter({
    record: recorder(clock, newId, runtime.raising(auditWritten)),
    recordPlatform: operatorLogRecorder(clock, newId),
    jobs: [
      {
        round: chaining,
        name: 'seal',
        forBusiness: (ctx) => chainAuditLog(ctx, needs.listeners()),
      },
      {
        round: publishing,
        name: 'trail_head',
        forBusiness: publishHead({ notary: evidenceSigner, clock, log, worker }),
      },
    ],
  });
}
