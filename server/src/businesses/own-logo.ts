import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Recorder } from '../audit/index.ts';
import type { Alerts } from '../alerts/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { BoundedWorker, Task } from '../platform/bounded-worker.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { reencodeImage } from '../platform/reencode-image.ts';
import type { OwnLogo } from './business.model.ts';
import { getBusiness, updateBusinessRow } from './business.store.ts';

const reencode: Task<typeof reencodeImage> = {
  module: new URL('../platform/reencode-image.ts', import.meta.url),
  name: 'reencodeImage',
  timeMs: 5_000,
};

/** How many pictures of one business are read within a minute: more than people try out. */
const aMinute = 60;

/** How many characters the largest file has as a data URL. */
const charactersMax = 280_000;

/** Makes a given logo into one of ours. Throws `image_refused`, naming the field. */
export type ReadLogo = (businessId: string, dataUrl: string, field: string) => Promise<OwnLogo>;

/**
 * Makes the only way to a logo: it is read whole in a bounded worker and written again, so that a
 * paper is never drawn with bytes of somebody else's making.
 */
export function readLogo(work: BoundedWorker): ReadLogo {
  const pictures = new RateLimiterMemory({ points: aMinute, duration: 60 });
  return async (businessId, dataUrl, field) => {
    const [, body] =
      dataUrl.length <= charactersMax
        ? (/^data:image\/(?:png|jpeg);base64,([A-Za-z0-9+/]+={0,2})$/.exec(dataUrl) ?? [])
        : [];
    if (!body) throw new AppError('image_refused', { field });
    await pictures.consume(businessId).catch(({ msBeforeNext }: RateLimiterRes) => {
      throw new AppError('rate_limited', { retry_after_s: Math.ceil(msBeforeNext / 1000) });
    });
    try {
      const { kind, bytes } = await work.run(businessId, reencode, Buffer.from(body, 'base64'));
      return `data:image/${kind};base64,${Buffer.from(bytes).toString('base64')}` as OwnLogo;
    } catch (error) {
      // A picture that needs a thread's whole time or memory is refused; a full queue is not its
      // fault.
      if (error instanceof AppError && error.code === 'business_busy') throw error;
      throw new AppError('image_refused', { field }, error);
    }
  };
}

/**
 * Checks the logos that are not known to be ours and writes them again. One that cannot be read is
 * removed, and an alert says so; everything else of the business stays as it is.
 */
export const recheckLogos =
  (ports: {
    contextOf(businessId: string): Context;
    read: ReadLogo;
    record: Recorder;
    alerts: Alerts;
    clock: Clock;
    log: Log;
  }) =>
  async (businessIds: string[]): Promise<void> => {
    for (const businessId of businessIds)
      await recheckLogo(ports, ports.contextOf(businessId)).catch((error: Error) =>
        ports.log.error(
          { business_id: businessId, error: error.stack },
          'looking at a stored logo failed',
        ),
      );
  };

async function recheckLogo(ports: Parameters<typeof recheckLogos>[0], ctx: Context): Promise<void> {
  const stored = (await ctx.transaction((tx) => getBusiness(tx))).foreignLogo;
  if (!stored) return;
  const logo = await ports.read(ctx.businessId, stored, 'branding.logo').catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'image_refused') return null;
    throw error;
  });
  await ctx.transaction(async (tx) => {
    const business = await getBusiness(tx, true);
    if (business.foreignLogo !== stored) return;
    await updateBusinessRow(
      tx,
      { ...business, foreignLogo: null, branding: { ...business.branding, logo } },
      ports.clock.now(),
    );
    if (logo) return;
    await ports.record(tx, ctx, {
      action: 'business.logo_removed',
      subject: ctx.businessId,
      before: { logo: `${stored.length} characters` },
    });
    await ports.alerts.raise(tx, ctx, ctx.businessId, { code: 'logo_removed' });
  });
}
