import { branches, type InputOf } from '@muhuri/shared/contract/index';
import { AppError } from '../platform/app-error.ts';
import { route, type Call } from '../platform/http/route.ts';
import type { BranchView, ListBranchViews } from './list-branches.ts';
import type { BranchInput, NextDeviceInput } from './change-branch.ts';
import type { AdoptDevice, InitialiseDevice, PauseLane } from './set-up-device.ts';

type Use = {
  addBranch(ctx: Call['ctx'], ask: BranchInput): Promise<string>;
  updateBranch(
    ctx: Call['ctx'],
    id: string,
    to: InputOf<typeof branches.updateBranch>,
  ): Promise<void>;
  listBranches: ListBranchViews;
  initialiseDevice: InitialiseDevice;
  adoptDevice: AdoptDevice;
  setNextDevice(ctx: Call['ctx'], branchId: string, ask: NextDeviceInput): Promise<void>;
  switchDevice(
    ctx: Call['ctx'],
    branchId: string,
    given: { reason?: string | undefined },
  ): Promise<void>;
  pauseLane: PauseLane;
  resumeLane(
    ctx: Call['ctx'],
    branchId: string,
    given: { last_invoice_number?: string | undefined; evidence?: string | undefined },
  ): Promise<void>;
};

export const branchRoutes = (use: Use) => {
  const one = async (call: Call, id = call.params.id): Promise<BranchView> => {
    const found = (await use.listBranches(call.ctx)).find((branch) => branch.id === id);
    if (!found) throw new AppError('not_found');
    return found;
  };
  const id = (call: Call) => call.params.id as string;
  return [
    route(branches.listBranches)(async (call) => ({
      branches: await use.listBranches(call.ctx),
      next_cursor: null,
    })),
    route(branches.addBranch)(async (call, { input }) =>
      one(call, await use.addBranch(call.ctx, input)),
    ),
    route(branches.updateBranch)(async (call, { input }) => {
      await use.updateBranch(call.ctx, id(call), input);
      return one(call);
    }),
    route(branches.initialiseDevice)(async (call) => {
      await use.initialiseDevice(call.ctx, id(call));
      return one(call);
    }),
    route(branches.adoptDevice)(async (call, { input }) => {
      await use.adoptDevice(call.ctx, id(call), input);
      return one(call);
    }),
    route(branches.setNextDevice)(async (call, { input }) => {
      await use.setNextDevice(call.ctx, id(call), input);
      return one(call);
    }),
    route(branches.switchDevice)(async (call, { input }) => {
      await use.switchDevice(call.ctx, id(call), input);
      return one(call);
    }),
    route(branches.pauseLane)(async (call) => {
      await use.pauseLane(call.ctx, id(call));
      return one(call);
    }),
    route(branches.resumeLane)(async (call, { input }) => {
      await use.resumeLane(call.ctx, id(call), input);
      return one(call);
    }),
  ];
};
