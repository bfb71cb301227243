import type { Server } from 'node:http';
import type { Chapter } from './chapter.ts';
import { closeServer } from './platform/http/listen.ts';
import type { Jobs } from './platform/jobs.ts';
import type { Runtime } from './platform/runtime.ts';

type Opened = {
  runtime: Runtime;
  chapters: Chapter[];
  jobs: Jobs;
  server: Server;
  books: { close(): Promise<unknown> };
};

/**
 * Ends a server in order. No lane writes down or sends anything new from the first step on; what is
 * on its way to a device is heard out as long as that may take, and recorded, before anything is
 * let go. Whatever somebody outside makes last, no step waits for it longer than it may
 * (`platform/shutdown-timeouts.ts`).
 */
export async function closeApp({ runtime, chapters, jobs, server, books }: Opened): Promise<void> {
  const { withinTime } = runtime;
  const lastFirst = chapters.toReversed();
  jobs.stop();
  runtime.closing.abort();
  await closeServer(server);
  for (const each of lastFirst) await each.hearOut?.();
  await withinTime('counts of use', Promise.all(lastFirst.map((each) => each.flush?.())));
  for (const each of lastFirst) await each.close?.();
  await runtime.closeTools();
  await books.close();
  await withinTime('work by business', jobs.idle());
  await runtime.close();
}
