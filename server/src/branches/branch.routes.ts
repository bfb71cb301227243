import { branches } from '@muhuri/shared/contract/index';
import { AppError } from '../platform/app-error.ts';
import { answer, type Call } from '../platform/http/answer.ts';
import type { BranchView, ListBranchViews } from './list-branches.ts';
import type { AdoptDevice, InitialiseDevice, PauseLane } from './set-up-device.ts';

type Use = {
  listBranches: ListBranchViews;
  initialiseDevice: InitialiseDevice;
  adoptDevice: AdoptDevice;
  pauseLane: PauseLane;
  resumeLane(ctx: Call['ctx'], branchId: string, given: { last_invoice_number?: string | undefined; evidence?: string | undefined }): Promise<void>;
};

export const branchRoutes = (use: Use) => {
  const one = async (call: Call): Promise<BranchView> => {
    const found = (await use.listBranches(call.ctx)).find((branch) => branch.id === call.params.id);
    if (!found) throw new AppError('not_found');
    return found;
  };
  const id = (call: Call) => call.params.id as string;
  return [
    answer(branches.listBranches)(async (call) => ({ branches: await use.listBranches(call.ctx), next_cursor: null })),
    answer(branches.initialiseDevice)(async (call) => {
      await use.initialiseDevice(call.ctx, id(call));
      return one(call);
    }),
    answer(branches.adoptDevice)(async (call, { input }) => {
      await use.adoptDevice(call.ctx, id(call), input);
      return one(call);
    }),
    answer(branches.pauseLane)(async (call) => {
      await use.pauseLane(call.ctx, id(call));
      return one(call);
    }),
    answer(branches.resumeLane)(async (call, { input }) => {
      await use.resumeLane(call.ctx, id(call), input);
      return one(call);
    }),
  ];
};
