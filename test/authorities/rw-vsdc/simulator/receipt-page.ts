import type { Answered, Asked } from '../../../simulators/kit/server.ts';
import type { Sim } from './sim.ts';

/**
 * Where the code of a demo receipt leads: a page that says whose it is and that it is invented.
 */
export function receiptPage(sim: Sim, asked: Asked): Answered {
  const data = asked.query.get('Data') ?? '';
  const found = sim.state.value.receipts.find(
    (each) =>
      data ===
      `${String(each.request.tin)}${String(each.request.bhfId)}${String(each.reply.rcptSign)}`,
  );
  const rows = found
    ? {
        Seller: sim.state.value.taxpayers[String(found.request.tin)],
        TIN: found.request.tin,
        'Receipt number': `${String(found.reply.rcptNo)}/${String(found.reply.totRcptNo)}`,
        'SDC ID': found.reply.sdcId,
        Total: `RWF ${String(found.request.totAmt)}`,
        Tax: `RWF ${String(found.request.totTaxAmt)}`,
        'Signed at': found.at,
      }
    : { Result: 'No receipt under this code.' };
  const list = Object.entries(rows)
    .map(([name, value]) => `<dt>${name}</dt><dd>${String(value).replace(/[<&]/g, '')}</dd>`)
    .join('');
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Receipt (simulated)</title><style>body{font:16px/1.6 system-ui,sans-serif;max-width:30rem;margin:2rem auto;padding:0 1rem}p{background:#fdecea;color:#8c1d18;padding:.5rem .8rem;border-radius:6px}dt{color:#5b6270}dd{margin:0 0 .6rem;font-weight:600}</style><p>Simulated authority: invented data, not a fiscal receipt.</p><h1>Receipt verification</h1><dl>${list}</dl></html>`;
  return { status: found ? 200 : 404, type: 'text/html; charset=utf-8', body: html };
}
