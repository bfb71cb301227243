import type { CheckPrinted } from '../ports/paper.ts';
import type { OwnBranding } from './settings.ts';

/** Cleans what a business wants to stand on its receipts, and refuses what no font has. */
export const printableBranding =
  (ownBranding: OwnBranding, checkPrinted: CheckPrinted): OwnBranding =>
  async (ctx, given) => {
    await checkPrinted(
      ctx,
      Object.entries(given).flatMap(([name, value]) =>
        [value ?? ''].flat().map((text) => ({ field: `branding.${name}`, text })),
      ),
    );
    return ownBranding(ctx, given);
  };
