import { branches } from '@muhuri/shared/contract/index';
import { findBranchView, type ListBranchViews } from '../branches/index.ts';
import { route } from '../platform/http/route.ts';
import type { AdoptDevice } from './adopt-device.ts';
import type { InitialiseDevice } from './initialise-device.ts';
import type { PauseLane } from './pause-lane.ts';

type Use = {
  listBranches: ListBranchViews;
  initialiseDevice: InitialiseDevice;
  adoptDevice: AdoptDevice;
  pauseLane: PauseLane;
};

export const deviceRoutes = (use: Use) => {
  const one = findBranchView(use.listBranches);
  return [
    route(branches.initialiseDevice)(async (call) => {
      const id = call.params.id as string;
      await use.initialiseDevice(call.ctx, id);
      return one(call.ctx, id);
    }),
    route(branches.adoptDevice)(async (call, { input }) => {
      const id = call.params.id as string;
      await use.adoptDevice(call.ctx, id, input);
      return one(call.ctx, id);
    }),
    route(branches.pauseLane)(async (call) => {
      const id = call.params.id as string;
      await use.pauseLane(call.ctx, id);
      return one(call.ctx, id);
    }),
  ];
};
