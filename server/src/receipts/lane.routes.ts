import { branches } from '@muhuri/shared/contract/index';
import { findBranchView, type ListBranchViews } from '../branches/index.ts';
import { type Call, route } from '../platform/http/route.ts';

type Use = {
  listBranches: ListBranchViews;
  switchDevice(
    ctx: Call['ctx'],
    branchId: string,
    given: { reason?: string | undefined },
  ): Promise<void>;
  resumeLane(
    ctx: Call['ctx'],
    branchId: string,
    given: { last_invoice_number?: string | undefined; evidence?: string | undefined },
  ): Promise<void>;
};

export const laneRoutes = (use: Use) => {
  const one = findBranchView(use.listBranches);
  return [
    route(branches.switchDevice)(async (call, { input }) => {
      const id = call.params.id as string;
      await use.switchDevice(call.ctx, id, input);
      return one(call.ctx, id);
    }),
    route(branches.resumeLane)(async (call, { input }) => {
      const id = call.params.id as string;
      await use.resumeLane(call.ctx, id, input);
      return one(call.ctx, id);
    }),
  ];
};
