import { type Chapter, every } from './chapter.ts';
import { closeApp } from './close-app.ts';
import { type HttpConfig, type HttpNeeds, openHttp } from './open-http.ts';
import { everyMsOf, type Overrides } from './overrides.ts';
import { requestRetention } from './platform/http/idempotency.store.ts';
import { startJobs } from './platform/jobs.ts';
import type { Runtime } from './platform/runtime.ts';

type Opened = Omit<HttpNeeds, 'overrides' | 'routes'> & {
  config: HttpConfig;
  overrides: Overrides;
  businesses: { activeIds(): Promise<string[]> };
  jobHealth: Parameters<typeof startJobs>[0]['health'];
  books: { close(): Promise<unknown> };
};

/** Takes calls for the chapters, begins what runs by itself, and ends both in order. */
export async function runChapters(runtime: Runtime, chapters: Chapter[], opened: Opened) {
  const { config, overrides, books } = opened;
  const routes = every(chapters, 'routes');
  const { server, url, port } = await openHttp(runtime, config, { ...opened, routes });
  const jobs = startJobs({
    ...runtime,
    jobs: every(chapters, 'jobs'),
    retention: [...every(chapters, 'retention'), requestRetention],
    businessIds: opened.businesses.activeIds,
    health: opened.jobHealth,
    everyMs: everyMsOf(overrides),
  });
  for (const each of chapters) if (each.begin) runtime.background(each.begin());
  runtime.log.info({ port, worker: runtime.worker }, 'Muhuri is up');

  let closing: Promise<void> | null = null;
  const close = () => (closing ??= closeApp({ runtime, chapters, jobs, server, books }));
  return {
    url,
    port,
    /** Does what is due, instead of in a moment. */
    async settle() {
      await runtime.settled();
      await jobs.drain();
    },
    /** Looks for lanes that have work and nobody to call them. */
    sweep: () => jobs.now('idle_lanes'),
    /** Deletes what is over and says how far the logs go now, instead of within the hour. */
    tidy: () => jobs.now('tidy', 'ways_back', 'address_changes', 'trail_heads'),
    close,
    [Symbol.asyncDispose]: close,
  };
}
