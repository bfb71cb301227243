import type { Context } from '../../context.ts';
import { requireStepsBefore, viewSetup } from './read-steps.ts';
import { saveProgress } from './save-progress.ts';
import type { SetupPorts } from './setup-ports.ts';

/** Connects the business with Zoho by a code of its API console. */
export const setUpZoho =
  (ports: SetupPorts) => async (ctx: Context, ask: { organization_id?: string | undefined }) => {
    const { business } = await requireStepsBefore(ports, ctx, 'zoho');
    // A code works once, so the grant is kept the moment there is one: whatever fails after that
    // must not leave a grant nobody knows of.
    const keep = (grantId: string) =>
      saveProgress(ports, ctx, 'setup.zoho', (before) => ({
        setup: { ...before.setup, grant: grantId },
      }));
    const { organizations } = await ports.connectByCode(
      ctx,
      ask,
      business.setup.grant ?? null,
      keep,
    );
    return { setup: await viewSetup(ports)(ctx), organizations };
  };
