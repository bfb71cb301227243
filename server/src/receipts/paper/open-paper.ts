import { AppError } from '../../platform/app-error.ts';
import type { BoundedWorker } from '../../platform/bounded-worker.ts';
import type { CheckPrinted, QrSvg } from '../../ports/paper.ts';
import { findUnprintable } from '../prepare/find-unprintable.ts';
import { drawingPages, drawingPdf, findingUnprintable } from './paper-tasks.ts';

export type Paper = ReturnType<typeof openPaper>;

type Draw = Parameters<NonNullable<typeof drawingPdf.is>>;
type DrawPages = Parameters<NonNullable<typeof drawingPages.is>>;

/** Opens what draws, and knows which letters can be drawn, away from everything that waits. */
export function openPaper({ boundedWorker }: { boundedWorker: BoundedWorker }) {
  const unprintable = findUnprintable({
    find: (businessId, letters) => boundedWorker.run(businessId, findingUnprintable, letters),
  });
  const checkPrinted: CheckPrinted = async (ctx, texts) => {
    const [found] = await unprintable(
      ctx.businessId,
      texts.flatMap(({ field, text }) => (typeof text === 'string' ? [{ field, text }] : [])),
    );
    if (found) throw new AppError(found.code, found);
  };
  const qrSvg: QrSvg = async (text) => (await import('./qr-code.ts')).codeSvg(text);
  return {
    findUnprintable: unprintable,
    checkPrinted,
    qrSvg,
    draw: (businessId: string, ...ask: Draw) => boundedWorker.run(businessId, drawingPdf, ...ask),
    drawForBrowser: (businessId: string, ...ask: DrawPages) =>
      boundedWorker.run(businessId, drawingPages, ...ask),
  };
}
