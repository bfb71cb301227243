import { receipts } from '@muhuri/shared/contract/index';
import { type Call, FileResponse, route } from '../platform/http/route.ts';
import type { MakeEvidencePack } from './evidence/evidence-pack.ts';
import type { ViewReceipt } from './receipt/receipt-view.ts';
import type { Evidence } from './settlement/evidence.model.ts';
import type { DescribeDoubt } from './settlement/describe-doubt.ts';
import type {
  ConfirmReversal,
  DropReversal,
  ProposeReversal,
} from './settlement/reverse-lost-sale.ts';
import type {
  ConfirmSettlement,
  DropSettlement,
  SettleWithEvidence,
} from './settlement/settle-with-evidence.ts';

type Use = {
  settleByPerson: SettleWithEvidence;
  confirmSettlement: ConfirmSettlement;
  dropSettlement: DropSettlement;
  lookAtDoubt: DescribeDoubt;
  makeEvidencePack: MakeEvidencePack;
  proposeReversal: ProposeReversal;
  confirmReversal: ConfirmReversal;
  dropReversal: DropReversal;
  view: ViewReceipt;
};

/** What people say of receipts whose end nobody heard. */
export const settlementRoutes = (use: Use) => {
  const id = (call: Call) => call.params.id as string;
  return [
    route(receipts.attachEvidence)(async (call, { input }) =>
      use.view(await use.settleByPerson(call.ctx, id(call), input as Evidence), call.language),
    ),
    route(receipts.confirmEvidence)(async (call, { input }) =>
      use.view(await use.confirmSettlement(call.ctx, id(call), input), call.language),
    ),
    route(receipts.dropEvidence)(async (call) =>
      use.view(await use.dropSettlement(call.ctx, id(call)), call.language),
    ),
    route(receipts.readDoubt)((call) => use.lookAtDoubt(call.ctx, id(call))),
    route(receipts.evidencePack)(async (call) => {
      const { name, file } = await use.makeEvidencePack(call.ctx, id(call));
      return new FileResponse(JSON.stringify(file, null, 2), 'application/json', name);
    }),
    route(receipts.proposeReversal)(async (call, { input }) =>
      use.view(await use.proposeReversal(call.ctx, id(call), input), call.language),
    ),
    route(receipts.confirmReversal)(async (call, { input }) =>
      use.view(await use.confirmReversal(call.ctx, id(call), input), call.language),
    ),
    route(receipts.dropReversal)(async (call) =>
      use.view(await use.dropReversal(call.ctx, id(call)), call.language),
    ),
  ];
};
