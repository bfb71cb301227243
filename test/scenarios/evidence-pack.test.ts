import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { createHash } from 'node:crypto';
import { hashOfEntry } from '@muhuri/server/audit/chain-audit-log';
import { fingerprintOf, evidenceSignerFrom } from '@muhuri/server/platform/evidence-signer';
import { evidenceOf } from '../authorities/rw-vsdc/evidence.ts';
import { checkout, masterKey, startWorld, type World } from '../world.ts';

let world: World;
let admin: Api;
const folder = mkdtempSync(join(tmpdir(), 'muhuri-evidence-'));
const quick = {
  timing: {
    retryFirstMs: 50,
    retryMaxMs: 200,
    settleQuietMs: 50,
    settleMaxMs: 200,
    doubtWaitMs: 200,
  },
  sweepMs: 200,
};
beforeAll(async () => {
  world = await startWorld({ instead: quick });
  admin = await Api.signIn(world, world.businesses[0].admin);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const documents = () =>
  world.zoho
    .documents()
    .filter(
      (each) =>
        each.organization_id === world.businesses[0].organizationId &&
        each.canSeal &&
        each.module === 'invoices',
    );
/** As somebody runs it who has the file and nothing else: no settings, no database, no network. */
const verify = (...args: string[]) => {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['server/src/main.ts', 'evidence:verify', ...args],
    {
      cwd: checkout,
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '' },
    },
  );
  return { status, lines: stdout.trim().split('\n') };
};
const write = (name: string, content: Buffer | string) => {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
};
async function packOf(
  receiptId: string,
): Promise<{ pack: string; public_key: string; signature: string }> {
  await world.app.settle();
  const { status, bytes } = await admin.file(`/receipts/${receiptId}/evidence-pack`);
  expect(status).toBe(200);
  return JSON.parse(bytes.toString('utf8'));
}

describe('the evidence of a receipt', () => {
  test('stands by itself: a command without database or settings confirms request, answer, code, trail and paper', async () => {
    const { body } = await admin.seal('invoices', documents()[0]?.id ?? '');
    const pdf = (await admin.file(`/receipts/${body.id}/pdf?paper=a4`)).bytes;
    const file = await packOf(body.id);
    const key = fingerprintOf(file.public_key);
    const { status, lines } = verify(
      write('pack.json', JSON.stringify(file)),
      write('paper.pdf', pdf),
      '--key',
      '0'.repeat(32),
      '--key',
      key,
    );
    expect(lines.filter((line) => !line.startsWith('✓'))).toEqual([]);
    expect(status).toBe(0);
    for (const what of [
      'as it was signed',
      'says what was sealed',
      'what the device answered',
      'code leads',
      'as it was chained',
      'one of its prints',
    ])
      expect(
        lines.some((line) => line.includes(what)),
        what,
      ).toBe(true);
    // It goes to accountants and inspectors: no secret of ours, and no token, is in it.
    const [{ secrets }] = (await world.sql(
      'select secrets from device order by id limit 1',
      [],
      world.businesses[0].businessId,
    )) as [{ secrets: string }];
    for (const secret of [secrets, ...world.vsdc.keysOf(world.businesses[0].taxpayerId, '00')])
      expect(file.pack).not.toContain(secret);
  });

  test('does not stand once anything in it is changed, or the paper or the key is another', async () => {
    const { body } = await admin.seal('invoices', documents()[1]?.id ?? '');
    const pdf = (await admin.file(`/receipts/${body.id}/pdf?paper=a4`)).bytes;
    const file = await packOf(body.id);
    const changed = (change: (pack: Record<string, any>) => void) => {
      const pack = JSON.parse(file.pack);
      change(pack);
      return write('changed.json', JSON.stringify({ ...file, pack: JSON.stringify(pack) }));
    };
    const failing = (...args: string[]) => {
      const { status, lines } = verify(...args);
      expect(status).toBe(1);
      return lines.filter((line) => line.startsWith('✗')).join('\n');
    };
    expect(failing(changed((pack) => (pack.filed.sale.lines[0].total = '1.00')))).toMatch(
      /as it was signed[^]*says what was sealed/,
    );
    expect(failing(changed((pack) => (pack.signature.receiptSignature = 'A'.repeat(16))))).toMatch(
      /what the device answered[^]*code leads/,
    );
    expect(
      failing(
        changed(
          (pack) =>
            (pack.sends[0].request = pack.sends[0].request.replace('"invcNo":', '"invcNo":9')),
        ),
      ),
    ).toMatch(/request and answer is whole/);
    expect(failing(changed((pack) => (pack.trail[0].actor_id = 'somebody else')))).toMatch(
      /as it was chained/,
    );
    expect(failing(changed((pack) => (pack.trail = pack.trail.slice(0, 1))))).toMatch(
      /under these numbers/,
    );
    const own = write('own.json', JSON.stringify(file));
    expect(failing(own, write('other.pdf', Buffer.concat([pdf, Buffer.from(' ')])))).toMatch(
      /one of its prints/,
    );
    expect(failing(own, '--key', '0'.repeat(32))).toMatch(/the one that was named/);
  });

  test('of a test receipt shows no fiscal one, however whole it is', async () => {
    const { body } = await admin.seal('invoices', documents()[0]?.id ?? '');
    const pack = JSON.parse((await packOf(body.id)).pack);
    pack.receipt.environment = 'sandbox';
    const own = evidenceSignerFrom(masterKey);
    const text = JSON.stringify(pack);
    const file = write(
      'test.json',
      JSON.stringify({ pack: text, public_key: own.publicKey, signature: own.sign(text) }),
    );
    const { status, lines } = verify(file, '--key', fingerprintOf(own.publicKey));
    expect(status).toBe(1);
    expect(lines.filter((line) => !line.startsWith('✓'))).toEqual([
      expect.stringContaining('TEST'),
    ]);
  });

  test('holds where it was made before its terms had that word', async () => {
    const { body } = await admin.seal('invoices', documents()[0]?.id ?? '');
    const pack = JSON.parse((await packOf(body.id)).pack);
    const { terms: filing, ...rest } = pack.filed;
    expect(filing).toMatchObject({ user: expect.any(Object) });
    const own = evidenceSignerFrom(masterKey);
    const text = JSON.stringify({ ...pack, filed: { ...rest, filing } });
    const file = write(
      'before.json',
      JSON.stringify({ pack: text, public_key: own.publicKey, signature: own.sign(text) }),
    );
    const { status, lines } = verify(file, '--key', fingerprintOf(own.publicKey));
    expect(lines.filter((line) => !line.startsWith('✓'))).toEqual([]);
    expect(status).toBe(0);
  });

  test('proves nothing while nobody says whose key it is: a pack made up whole, chained anew and signed with another key fits in itself', async () => {
    const { body } = await admin.seal('invoices', documents()[4]?.id ?? '');
    const genuine = await packOf(body.id);
    const pack = JSON.parse(genuine.pack);
    pack.business.name = 'Somebody Else Ltd';
    let previous = pack.trail[0].previous_hash as string;
    for (const entry of pack.trail) {
      entry.actor_id = 'per_somebody';
      entry.previous_hash = previous;
      previous = entry.hash = hashOfEntry(
        pack.business.business_id,
        entry.position,
        previous,
        entry,
      );
    }
    const forger = evidenceSignerFrom(createHash('sha256').update('a key of their own').digest());
    const text = JSON.stringify(pack);
    const forged = write(
      'forged.json',
      JSON.stringify({ pack: text, public_key: forger.publicKey, signature: forger.sign(text) }),
    );
    const unnamed = verify(forged);
    expect(unnamed.status).toBe(1);
    expect(unnamed.lines.filter((line) => line.startsWith('✗')).join('\n')).toContain(
      'nobody has said whose key this is',
    );
    expect(verify(forged, '--any-key').status).toBe(0);
    // Whoever wants to know finds the keys at the server, those from before the last rotation too.
    const keys = async (url: string) =>
      (
        (await (await fetch(`${url}/.well-known/muhuri-evidence-keys.json`)).json()) as {
          evidence_keys: { fingerprint: string }[];
        }
      ).evidence_keys.map((each) => each.fingerprint);
    const before = fingerprintOf(genuine.public_key);
    expect(await keys(world.app.url)).toEqual([before]);
    const next = createHash('sha256').update('the next master key').digest();
    const rotated = await world.anotherApp(
      {},
      { secrets: { masterKey: next, previousMasterKey: masterKey } },
    );
    const published = await keys(rotated.url);
    expect(published).toContain(before);
    expect(published).toContain(evidenceSignerFrom(next).fingerprint);
    await rotated.close();
    expect(verify(forged, ...published.flatMap((each) => ['--key', each])).status).toBe(1);
    expect(
      verify(
        write('genuine.json', JSON.stringify(genuine)),
        ...published.flatMap((each) => ['--key', each]),
      ).status,
    ).toBe(0);
  });

  test('shows a lost answer, the resend and who brought the data; only who may read the activity takes it', async () => {
    const document = documents()[2];
    world.vsdc.faults(['drop_after_signing']);
    const { body } = await admin.seal('invoices', document?.id ?? '');
    const lost = await until(
      async () => (await admin.get(`/receipts/${body.id}`)).body,
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    const held = world.vsdc.receipts().find((each) => each.request.remark === document?.number);
    await admin.post(`/receipts/${lost.id}/evidence`, evidenceOf(held));
    const file = await packOf(lost.id);
    const { status, lines } = verify(
      write('lost.json', JSON.stringify(file)),
      '--key',
      fingerprintOf(file.public_key),
    );
    expect(lines.filter((line) => !line.startsWith('✓'))).toEqual([]);
    expect(status).toBe(0);
    expect(lines.join('\n')).toContain('a person brought the signature');
    expect(JSON.parse(file.pack).sends.map((each: { outcome: string }) => each.outcome)).toEqual([
      'in_doubt',
      'number_taken',
    ]);
    const user = await Api.signIn(world, world.businesses[0].user);
    expect((await user.file(`/receipts/${lost.id}/evidence-pack`)).status).toBe(403);
  });
});
