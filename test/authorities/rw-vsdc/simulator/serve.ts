import type { Answered, Asked } from '../../../simulators/kit/server.ts';
import type { Body } from './check-sale.ts';
import { initialise } from './endpoints/initialise.ts';
import { list } from './endpoints/list.ts';
import { saveItem } from './endpoints/save-item.ts';
import { saveSales } from './endpoints/save-sales.ts';
import { saveStock } from './endpoints/save-stock.ts';
import { exactly } from './exactly.ts';
import { codeListsAt, itemClasses } from './lists.ts';
import { badRequest, notAllowed, notFound, unavailable } from './pages.ts';
import type { Sim } from './sim.ts';
import type { Device } from './state.ts';

type Endpoint = (
  sim: Sim,
  device: Device,
  body: Body,
  asked: Asked,
) => Answered | null | Promise<Answered | null>;

const endpoints: Record<string, Endpoint> = {
  '/code/selectCodes': (sim, _device, body) =>
    list(sim, body, { clsList: codeListsAt(sim.state.value.settings.rates) }),
  '/itemClass/selectItemsClass': (sim, _device, body) =>
    list(sim, body, { itemClsList: itemClasses }),
  '/customers/selectCustomer': (sim, _device, body) => selectCustomer(sim, body),
  '/items/saveItems': (sim, device, body, asked) => saveItem(sim, device, body, asked.body),
  '/items/selectItems': (sim, device) =>
    sim.done({
      itemList: device.itemCodes.map((itemCd) => ({ tin: device.tin, itemCd, useYn: 'Y' })),
    }),
  '/trnsSales/saveSales': saveSales,
  '/stock/saveStockItems': saveStock,
  '/stockMaster/saveStockMaster': (sim, device, body) =>
    device.stocked.includes(String(body.itemCd))
      ? sim.done()
      : sim.envelope('922', 'The stock movement must be received first'),
};

const dayMs = 86_400_000;

/** What a request to the device is answered with, before its answer is dressed. */
export async function serve(sim: Sim, asked: Asked): Promise<Answered | null> {
  if (asked.method !== 'POST') return notAllowed;
  if (asked.body.trim() === '') return sim.envelope('911', 'Request body is empty');
  const body = exactly(asked.body);
  if (!body) return badRequest;
  if (asked.path === '/initializer/selectInitInfo') return initialise(sim, body, asked.body);
  const counted = countOf(asked.path, body.tin, body.bhfId);
  sim.counts.set(counted, (sim.counts.get(counted) ?? 0) + 1);
  const device = sim.serving(body.tin, body.bhfId);
  if (!device) return sim.envelope('901', 'It is not valid device');
  if (sim.state.value.settings.uplink) device.lastContact = sim.now().getTime();
  else if (sim.now().getTime() - device.lastContact > dayMs) return unavailable;
  return (endpoints[asked.path] ?? (() => notFound))(sim, device, body, asked);
}

/** Under which word the questions of a branch at a path are counted. */
export const countOf = (path: string, tin: unknown, bhfId: unknown): string =>
  `${String(tin)}/${String(bhfId)}${path}`;

function selectCustomer(sim: Sim, body: Body): Answered {
  const name = sim.state.value.taxpayers[String(body.custmTin)];
  if (!name) return sim.envelope('001', 'There is no search result');
  return sim.done({
    custList: [
      {
        tin: body.custmTin,
        taxprNm: name,
        taxprSttsCd: 'A',
        prvncNm: 'KIGALI CITY',
        dstrtNm: 'GASABO',
        sctrNm: 'KACYIRU',
        locDesc: null,
      },
    ],
  });
}
