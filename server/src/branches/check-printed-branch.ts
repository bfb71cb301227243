import type { Context } from '../context.ts';
import type { CheckPrinted } from '../ports/paper.ts';
import type { addBranch, updateBranch } from './change-branch.ts';

/** Adds and changes branches whose address can be printed. */
export const printableBranches = (
  ports: { add: ReturnType<typeof addBranch>; update: ReturnType<typeof updateBranch> },
  checkPrinted: CheckPrinted,
) => ({
  addBranch: async (ctx: Context, ask: Parameters<typeof ports.add>[1]) => {
    await checkPrinted(ctx, [{ field: 'address', text: ask.address }]);
    return ports.add(ctx, ask);
  },
  updateBranch: async (ctx: Context, id: string, given: Parameters<typeof ports.update>[2]) => {
    await checkPrinted(ctx, [{ field: 'address', text: given.address }]);
    return ports.update(ctx, id, given);
  },
});
