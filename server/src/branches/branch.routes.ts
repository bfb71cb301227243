import { branches, type InputOf } from '@muhuri/shared/contract/index';
import { route, type Call } from '../platform/http/route.ts';
import { findBranchView, type ListBranchViews } from './list-branches.ts';
import type { BranchInput } from './change-branch.ts';
import type { NextDeviceInput } from './set-device.ts';

type Use = {
  addBranch(ctx: Call['ctx'], ask: BranchInput): Promise<string>;
  updateBranch(
    ctx: Call['ctx'],
    id: string,
    change: InputOf<typeof branches.updateBranch>,
  ): Promise<void>;
  listBranches: ListBranchViews;
  setNextDevice(ctx: Call['ctx'], branchId: string, ask: NextDeviceInput): Promise<void>;
};

export const branchRoutes = (use: Use) => {
  const one = findBranchView(use.listBranches);
  return [
    route(branches.listBranches)(async (call) => ({
      branches: await use.listBranches(call.ctx),
      next_cursor: null,
    })),
    route(branches.addBranch)(async (call, { input }) =>
      one(call.ctx, await use.addBranch(call.ctx, input)),
    ),
    route(branches.updateBranch)(async (call, { input }) => {
      const id = call.params.id as string;
      await use.updateBranch(call.ctx, id, input);
      return one(call.ctx, id);
    }),
    route(branches.setNextDevice)(async (call, { input }) => {
      const id = call.params.id as string;
      await use.setNextDevice(call.ctx, id, input);
      return one(call.ctx, id);
    }),
  ];
};
