import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { RunJob } from '../platform/run-job.ts';
import { addUsage } from './usage.store.ts';

type Ports = { clock: Clock; run: RunJob; contextOf(businessId: string): Context };

/** What a business has used of a day: here since the last flush, and by the database's word. */
type DayCounter = { day: string; fresh: number; known: number };

/** Counts the calls of businesses by the day, in memory until they are flushed. */
export function dayCounters({ clock, run, contextOf }: Ports) {
  const counted = new Map<string, DayCounter>();
  const ended: { businessId: string; day: string; fresh: number }[] = [];
  const today = () => clock.now().toISOString().slice(0, 10);
  const write = (businessId: string, day: string, fresh: number): Promise<number> =>
    contextOf(businessId).transaction((tx) => addUsage(tx, businessId, day, 'requests', fresh));

  return {
    entryOf(businessId: string): DayCounter {
      const day = today();
      const entry = counted.get(businessId);
      if (entry?.day === day) return entry;
      // What the day before still holds is written with the next flush.
      if (entry && entry.fresh > 0) ended.push({ businessId, day: entry.day, fresh: entry.fresh });
      const made = { day, fresh: 0, known: 0 };
      counted.set(businessId, made);
      return made;
    },
    async flush(): Promise<void> {
      for (const each of ended.splice(0))
        if (
          !(await run(each.businessId, 'usage', () => write(each.businessId, each.day, each.fresh)))
        )
          ended.push(each);
      for (const [businessId, entry] of counted) {
        if (entry.day !== today() && entry.fresh === 0) counted.delete(businessId);
        const { fresh } = entry;
        if (fresh === 0) continue;
        entry.fresh = 0;
        const isWritten = await run(businessId, 'usage', async () => {
          entry.known = await write(businessId, entry.day, fresh);
        });
        if (!isWritten) entry.fresh += fresh;
      }
    },
  };
}
