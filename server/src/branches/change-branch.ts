import type { Recorder } from '../audit/index.ts';
import { holdBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import {
  findBranch,
  insertBranch,
  listBranches,
  type OriginalPaper,
  updateBranchRow,
} from './branch.store.ts';

export type Ports = { clock: Clock; newId: NewId; record: Recorder; dialects: Dialects };

export type BranchInput = { branch_code: string; name: string; address: string };

export const addBranch =
  (ports: Ports) =>
  (ctx: Context, ask: BranchInput): Promise<string> =>
    ctx.transaction(async (tx) => {
      await holdBusiness(tx);
      if ((await listBranches(tx)).some((each) => each.code === ask.branch_code))
        throw new AppError('branch_taken', { field: 'branch_code' });
      const id = ports.newId('branch');
      await insertBranch(
        tx,
        ctx.businessId,
        { id, code: ask.branch_code, name: ask.name, address: ask.address },
        ports.clock.now(),
      );
      await ports.record(tx, ctx, { action: 'branch.added', subject: id, after: ask });
      return id;
    });

export const updateBranch =
  (ports: Ports) =>
  (
    ctx: Context,
    id: string,
    given: { name: string; address: string; original_paper?: OriginalPaper | null | undefined },
  ): Promise<void> =>
    ctx.transaction(async (tx) => {
      const before = await findBranch(tx, id);
      if (!before) throw new AppError('not_found');
      const { name, address, original_paper = before.originalPaper } = given;
      await updateBranchRow(tx, id, { name, address, originalPaper: original_paper });
      await ports.record(tx, ctx, {
        action: 'branch.changed',
        subject: id,
        before: {
          name: before.name,
          address: before.address,
          original_paper: before.originalPaper,
        },
        after: { name, address, original_paper },
      });
    });
