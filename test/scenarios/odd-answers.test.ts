import { version } from '@muhuri/server/app';
import { loadDialects } from '@muhuri/server/dialects/index';
import { verifyEvidence } from '@muhuri/server/receipts/verify-evidence';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Api, enrol, until } from '../api.ts';
import { type Rewrite, rewritingProxy } from '../rewriting-proxy.ts';
import { disagreeing, statesAndFacts } from '../states.ts';
import { startWorld, type World } from '../world.ts';

/*
 * What a device says is evidence and decides what becomes of a receipt, whatever it is dressed in. That it cannot be stored as text, or stands in
 * other clothes than the documents show, must never be the reason that the outcome of a send is lost, or that a signed sale is in doubt.
 */

const dialects = await loadDialects();
let world: World;
let api: Api;
let device: Awaited<ReturnType<typeof rewritingProxy>>;
const business = () => world.businesses[0];

beforeAll(async () => {
  world = await startWorld({
    instead: {
      vsdc: { answerTimeoutMs: 600, lateTimeoutMs: 3_000 },
      timing: { retryFirstMs: 100, retryMaxMs: 200, settleQuietMs: 150, settleMaxMs: 300, doubtWaitMs: 300, leaseMs: 3_000 },
      sweepMs: 200,
      waitMs: 2_000,
    },
  });
  device = await rewritingProxy(world.vsdc.url);
  await world.sql('update device set address = $1', [device.url], business().businessId);
  api = await Api.signIn(world, business().admin);
  await enrol(api, business().admin.password);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await device?.close();
});
beforeEach(() => device.rewrite(null));

const envelope = (resultCd: unknown, resultMsg: string, data: unknown = null) => Buffer.from(JSON.stringify({ resultCd, resultMsg, resultDt: '', data }));
const answer = (body: Buffer, type = 'application/json', status = 200) => ({ status, type, body });
/** Changes what is said of sales, once; later ones pass as they are. */
function once(how: Rewrite): void {
  let isDone = false;
  device.rewrite((said, path) => {
    if (isDone || !path.endsWith('/saveSales')) return said;
    isDone = true;
    return how(said, path);
  });
}
const told = (said: { body: Buffer }) => JSON.parse(said.body.toString()) as { resultCd: string; data: Record<string, unknown> };
const judged = (number: string) => world.vsdc.receipts().filter((each) => each.request.remark === number);
const sends = async (receiptId: string) =>
  world.sql('select outcome, device_text, response, response_raw from attempt where receipt_id = $1 order by started_at', [receiptId], business().businessId);

describe('what a device says is written down whatever it is made of', () => {
  const oddWords = {
    'U+0000': 'no\u0000 such buyer',
    'half an emoji': 'no \ud83d such buyer',
    'controls and directions': '\u0007no\u202e\u009f\r\nbuyer\u000b',
  };

  test.each(Object.entries(oddWords))('a refusal with %s in its sentence is a refusal', async (_name, words) => {
    const document = newInvoice();
    world.vsdc.faults(['refuse:884']);
    once(() => answer(envelope('884', words)));
    const reply = await api.seal('invoices', document.id);
    expect(reply.body).toMatchObject({ state: 'refused', problem: { code: 'refused_buyer_tin', device_code: '884' } });
    const [send] = await sends(reply.body.id);
    expect(send).toMatchObject({ outcome: 'refused' });
    // As it came, so that nobody can say it was something else.
    expect(JSON.parse(String(send?.response)).resultMsg).toBe(words);
  });

  test.each(Object.entries(oddWords))('a signature with %s in its sentence and around its data is a signature', async (_name, words) => {
    const document = newInvoice();
    once((said) => {
      const { data } = told(said);
      return answer(
        envelope('000', words, { ...data, mrcNo: `${String(data.mrcNo)}\u0000\u0000`, intrlData: `\t${String(data.intrlData)}\r\n`, extra: words }),
      );
    });
    const reply = await api.seal('invoices', document.id);
    expect(reply.body).toMatchObject({ state: 'signed', receipt_signature: judged(document.number)[0]?.reply.rcptSign });
    expect(judged(document.number)).toHaveLength(1);
  });

  test.each([
    ['bytes of no encoding with U+0000 among them', Buffer.from([0x00, 0xff, 0xfe, 0x7b, 0x00, 0xd8, 0x22, 0x80])],
    ['half a character at the end', Buffer.concat([Buffer.from('{"resultCd":"000","resultMsg":"'), Buffer.from([0xf0, 0x9f])])],
    ['more than is shown, cut within an emoji', Buffer.from(`x${'😀'.repeat(15_000)}`)],
  ])('an answer of %s is a doubt at once, kept byte for byte, and the receipt is one', async (_name, bytes) => {
    const document = newInvoice();
    once(() => answer(bytes, 'application/json'));
    const reply = await api.seal('invoices', document.id);
    expect(reply.body).toMatchObject({ state: 'in_doubt', problem: { code: 'maybe_signed' } });
    const lost = await until(
      async () => (await api.get(`/receipts/${reply.body.id}`)).body,
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    const [send] = await sends(lost.id);
    expect(send).toMatchObject({ outcome: 'in_doubt' });
    expect((send?.response_raw as Buffer | null) ?? Buffer.from(String(send?.response))).toEqual(bytes);
    expect(judged(document.number)).toHaveLength(1);
    // Whoever looks at the doubt, and whoever takes its evidence away, gets it too.
    expect((await api.get(`/receipts/${lost.id}/doubt`)).body.sends[0].outcome).toBe('in_doubt');
    await world.app.settle();
    const file = (await api.get(`/receipts/${lost.id}/evidence-pack`)).body;
    const pack = JSON.parse(file.pack) as { sends: { response: string; response_base64?: string }[] };
    const [taken] = pack.sends;
    expect(taken?.response_base64 ? Buffer.from(taken.response_base64, 'base64') : Buffer.from(taken?.response ?? '')).toEqual(bytes);
    const checks = verifyEvidence(file, { dialects, version });
    expect(checks.find((each) => each.what === 'every request and answer is whole')).toMatchObject({ holds: true });
  });

  test('an answer in a sentence that cannot be stored, too late to be waited for, is the receipt', async () => {
    const document = newInvoice();
    world.vsdc.faults(['stall:900']);
    once((said) => answer(envelope('000', 'late \u0000 \udc00', told(said).data)));
    const reply = await api.seal('invoices', document.id);
    const settled = await until(
      async () => (await api.get(`/receipts/${reply.body.id}`)).body,
      (each) => each.state === 'signed',
    );
    expect(settled.receipt_signature).toBe(judged(document.number)[0]?.reply.rcptSign);
    expect(judged(document.number)).toHaveLength(1);
  });
});

describe('a success is a success in every dress', () => {
  const dressed: [string, (said: { resultCd: string; data: Record<string, unknown> }) => Buffer, type?: string][] = [
    ['its code as "0000"', ({ data }) => envelope('0000', 'ok', data)],
    ['its code as the number 0', ({ data }) => envelope(0, 'ok', data)],
    ['its code between blanks', ({ data }) => envelope(' 000\u00a0', 'ok', data)],
    [
      'its counters as text padded with zeros',
      ({ data }) => envelope('000', 'ok', { ...data, rcptNo: `000${String(data.rcptNo)}`, totRcptNo: ` 00${String(data.totRcptNo)} ` }),
    ],
    [
      'its counters with a fraction of nothing',
      ({ data }) => envelope('000', 'ok', { ...data, rcptNo: `${String(data.rcptNo)}.0`, totRcptNo: `${String(data.totRcptNo)}.00` }),
    ],
    ['a byte order mark', ({ data }) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), envelope('000', 'ok', data)])],
    ['UTF-16 with its mark', ({ data }) => Buffer.from(`\ufeff${envelope('000', 'ok', data).toString()}`, 'utf16le')],
    ['UTF-16 without a mark', ({ data }) => Buffer.from(envelope('000', 'ok', data).toString(), 'utf16le')],
    ['the zeros of a C string behind it', ({ data }) => Buffer.concat([envelope('000', 'ok', data), Buffer.alloc(3)])],
    ['the type of a page', ({ data }) => envelope('000', 'ok', data), 'text/html; charset=iso-8859-1'],
    [
      'its time with marks between its digits',
      ({ data }) => envelope('000', 'ok', { ...data, vsdcRcptPbctDate: String(data.vsdcRcptPbctDate).replace(/^(....)(..)(..)(..)(..)/, '$1-$2-$3 $4:$5:') }),
    ],
  ];
  test.each(dressed)('%s', async (_name, dress, type) => {
    const document = newInvoice();
    once((said) => answer(dress(told(said)), type ?? 'application/json'));
    const reply = await api.seal('invoices', document.id);
    expect(reply.body).toMatchObject({ state: 'signed', receipt_signature: judged(document.number)[0]?.reply.rcptSign });
    expect(reply.body.receipt_number).toBe(String(judged(document.number)[0]?.reply.rcptNo));
  });
});

test('what the column says of every receipt so far is what its facts say', async () => {
  expect(disagreeing(await statesAndFacts(world))).toEqual([]);
});

let made = 0;
function newInvoice(): { id: string; number: string } {
  made += 1;
  const simple = world.zoho.documents().find((each) => each.organization_id === business().organizationId && each.what.startsWith('simple sale'));
  const source = structuredClone(world.zoho.document('invoices', simple?.id ?? ''));
  const [id, number] = [`46000000011${String(made).padStart(8, '0')}`, `ODD-${made}`];
  world.zoho.add('invoices', business().organizationId, { ...source, invoice_id: id, invoice_number: number });
  return { id, number };
}
