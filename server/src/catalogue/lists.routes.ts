import { branches } from '@muhuri/shared/contract/index';
import { findDeviceOfBranch } from '../branches/index.ts';
import { AppError } from '../platform/app-error.ts';
import { route, type Call } from '../platform/http/route.ts';
import type { ListsView } from './lists-view.ts';

type Use = {
  view: ListsView;
  /** Begins a refresh and does not wait for it. */
  refresh(ctx: Call['ctx'], deviceId: string): void;
};

export const listsRoutes = (use: Use) => {
  const id = (call: Call) => call.params.id as string;
  return [
    route(branches.readAuthorityLists)((call) => use.view(call.ctx, id(call))),
    route(branches.refreshAuthorityLists)(async (call) => {
      const device = await call.ctx.transaction((tx) => findDeviceOfBranch(tx, id(call)));
      if (!device || device.state === 'new') throw new AppError('not_found');
      use.refresh(call.ctx, device.id);
      return { ...(await use.view(call.ctx, id(call))), is_running: true };
    }),
  ];
};
