import { createServer } from 'node:http';

/**
 * A device that signs at once, or after as many milliseconds as its path says, and remembers
 * nothing: the same for both sides, in a process of its own.
 */
const totals = new Map<string, number>();
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const code = (seed: number, length: number) =>
  Array.from(
    { length },
    (_, i) => letters[Math.floor(Math.abs(Math.sin(seed * 7919 + i * 104729)) * 1e9) % 32],
  ).join('');
let signed = 0;

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(parts).toString()) as { tin: string; bhfId: string };
    const device = `${body.tin}${body.bhfId}`;
    const total = (totals.get(device) ?? 0) + 1;
    totals.set(device, total);
    signed += 1;
    const data = {
      rcptNo: total,
      totRcptNo: total,
      intrlData: code(signed, 26),
      rcptSign: code(signed + 1e6, 16),
      vsdcRcptPbctDate: '20261120101532',
      sdcId: `SDC${device}`,
      mrcNo: 'WIS00000001',
    };
    const afterMs = Number(/^\/after-(\d+)/.exec(request.url ?? '')?.[1] ?? 0);
    const say = () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          resultCd: '000',
          resultMsg: 'It is succeeded',
          resultDt: '20261120101533',
          data,
        }),
      );
    };
    if (afterMs > 0) setTimeout(say, afterMs);
    else say();
  });
});
server.listen(0, '127.0.0.1', () =>
  console.log(`port ${(server.address() as { port: number }).port}`),
);
