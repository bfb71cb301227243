import { listsRefreshed } from '../catalogue/index.ts';
import type { Round } from '../platform/jobs.ts';
import { topic } from '../platform/signals.ts';

/** Documents of a business wait to be looked at, or what was signed to be written back. */
export const documentsDue = topic('documents due');

/** The round that keeps a business in step with its books. */
export const keepingUp: Round = {
  name: 'keep_up',
  everyMs: 60_000,
  woken: { name: 'intake', everyMs: 300, by: [documentsDue, listsRefreshed] },
  actor: 'intake',
  severalAs: 'keeping up with Zoho',
  drain: 'work',
};
