import type { ChildProcess } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { Api, confirmShown, enrol } from '../api.ts';
import { evidenceOf } from '../authorities/rw-vsdc/evidence.ts';
import { cloneDatabase, type DemoBusiness, startWorld, type World } from '../world.ts';
import { everyCode } from './codes.ts';
import { type Fault, type Kind, kinds, pairs, type Point } from './exchange.ts';
import {
  closedAddress,
  type Known,
  openDeafAddress,
  openWay,
  type Step,
  type Way,
} from './fault-proxy.ts';
import { type PostgresProxy, startPostgresProxy } from './postgres-proxy.ts';
import { startServer } from '../start-server.ts';

/**
 * One run: a fault at a point, and what the next question gets as its answer (`truth`: the device's
 * own).
 */
export type Run = { kind: Kind; point: Point; fault: Fault; after: string };
export type Verdict = {
  run: Run;
  /** At the judge, and recorded by us, once it is settled. */
  judged: number;
  recorded: number;
  verdict: 'once' | 'not_signed' | 'double' | 'lost' | 'unmarked' | 'stuck';
  /** By itself, or by people who did what the panel asked of them. */
  settledBy: 'itself' | 'people';
  ms: number;
  note: string;
};

const answerTimeoutMs = 500;
const instead = {
  vsdc: { connectTimeoutMs: 400, answerTimeoutMs, lateTimeoutMs: 1_200 },
  timing: {
    retryFirstMs: 40,
    retryMaxMs: 200,
    settleQuietMs: 60,
    settleMaxMs: 200,
    doubtWaitMs: 150,
    leaseMs: 2_500,
  },
  sweepMs: 300,
  waitMs: 1,
  lanesMax: 256,
};
/** Within this a run is settled, or it counts as stuck. */
export const settledWithinMs = 30_000;

/**
 * Pairs after which the device is asked again: those that end with an answer, and commits, are not.
 */
const isAskedAgain = ({ point, fault }: { point: Point; fault: Fault }) =>
  point !== 'after_response' &&
  point !== 'before_commit' &&
  point !== 'after_commit' &&
  fault !== 'slow_drip';

/**
 * Every pair of point and fault, for every kind, and after those that are asked again every code of
 * `codes`.
 */
export const runsOf = (codes: readonly string[] = everyCode): Run[] =>
  kinds.flatMap((kind) =>
    pairs.flatMap(([point, fault]) =>
      [
        'truth',
        ...(isAskedAgain({ point, fault }) ? codes.filter((code) => code !== '000') : []),
      ].map((after) => ({ kind, point, fault, after })),
    ),
  );

/** A person goes and looks only once it has not settled by itself for a while. */
const lookAfterMs = 3_000;

type Seen = {
  id: string;
  state: string;
  code: string | null;
  number: string | null;
  proposed: boolean;
  signature: string | null;
  device_id: string;
  device_state: string;
  is_taken: boolean | null;
};

/**
 * Runs them all: a device each business, several businesses at once, and so many processes on one
 * database.
 */
export async function runFaultTable(
  postgres: World['postgres'],
  runs: Run[],
  options: { processes: number; atOnce: number; progress?: (done: number) => void },
): Promise<Verdict[]> {
  const clone = await cloneDatabase(postgres);
  const proxy = await startPostgresProxy(clone.urls.app);
  const urls = { ...clone.urls, app: proxy.through(clone.urls.app) };
  const world = await startWorld({
    postgres,
    urls,
    businesses: options.atOnce,
    instead,
    told: { config: { databasePoolMax: 20 } },
  });
  const children: ChildProcess[] = [];
  const servers = [world.app.url];
  for (let i = 1; i < options.processes; i++) {
    const { child, url } = await startServer(world, {
      instead,
      told: { config: { databasePoolMax: 20 } },
    });
    children.push(child);
    servers.push(url);
  }
  const admin = new pg.Pool({ connectionString: clone.urls.admin, max: 3 });
  // Its end does not wait for the last of its connections, and the database is taken from under
  // them.
  admin.on('error', () => {});
  const deaf = await openDeafAddress();
  const closed = await closedAddress();
  const watch = watcher(admin);
  const left = [...runs];
  const verdicts: Verdict[] = [];
  try {
    await Promise.all(
      world.businesses.map(async (business) => {
        const table = await tableOf({
          world,
          business,
          proxy,
          admin,
          watch,
          servers,
          deaf: deaf.url,
          closed,
        });
        for (let run = left.pop(); run; run = left.pop()) {
          verdicts.push(await table.one(run));
          options.progress?.(verdicts.length);
        }
        await table.close();
      }),
    );
  } finally {
    watch.close();
    deaf.close();
    for (const child of children) child.kill('SIGKILL');
    await world[Symbol.asyncDispose]();
    await proxy.close();
    await admin.end();
    await clone.drop();
  }
  return verdicts;
}

type Watch = ReturnType<typeof watcher>;

/**
 * One look for everybody, a few times a second: what has become of the documents that are being
 * run.
 */
function watcher(admin: pg.Pool) {
  const waiting = new Map<string, (seen: Seen) => void>();
  let isOpen = true;
  const loop = async () => {
    while (isOpen) {
      await pause(40);
      if (waiting.size === 0) continue;
      const { rows } = await admin.query(
        `select r.id, r.document_id, r.state, r.problem->>'code' as code, r.invoice_number::text as number, d.id as device_id, d.state as device_state,
            d.problem->>'code' = 'number_collision' or d.problem ? 'taken_number' as is_taken,
            exists (select 1 from settlement t where t.business_id = r.business_id and t.receipt_id = r.id) as proposed,
            (select s.receipt_signature from signature s where s.business_id = r.business_id and s.receipt_id = r.id) as signature
           from receipt r join device d on d.business_id = r.business_id and d.id = r.device_id where r.document_id = any($1::text[])`,
        [[...waiting.keys()]],
      );
      for (const row of rows) waiting.get(row.document_id as string)?.(row as Seen);
    }
  };
  void loop();
  return {
    look: (documentId: string, onSeen: (seen: Seen) => void) =>
      void waiting.set(documentId, onSeen),
    stop: (documentId: string) => void waiting.delete(documentId),
    close() {
      isOpen = false;
    },
  };
}

type Parts = {
  world: World;
  business: DemoBusiness;
  proxy: PostgresProxy;
  admin: pg.Pool;
  watch: Watch;
  servers: string[];
  deaf: string;
  closed: string;
};

let documents = 0;

async function tableOf({ world, business, proxy, admin, watch, servers, deaf, closed }: Parts) {
  const way: Way = await openWay(world.vsdc.url, answerTimeoutMs);
  const { businessId, organizationId, taxpayerId } = business;
  const own = (text: string, parameters: unknown[] = []) => admin.query(text, parameters);
  /**
   * The next run's documents look at every branch there is. Locked, so that nothing of it is
   * written down meanwhile.
   */
  async function forgetBranch(branchId: string, deviceId: string): Promise<void> {
    const client = await admin.connect();
    try {
      await client.query('begin');
      await client.query('select from device where business_id = $1 and id = $2 for update', [
        businessId,
        deviceId,
      ]);
      for (const table of ['code_list', 'list_sync', 'rate_change'])
        await client.query(`delete from ${table} where business_id = $1 and device_id = $2`, [
          businessId,
          deviceId,
        ]);
      await client.query('delete from device where business_id = $1 and id = $2', [
        businessId,
        deviceId,
      ]);
      await client.query('delete from branch where business_id = $1 and id = $2', [
        businessId,
        branchId,
      ]);
      await client.query('commit');
    } finally {
      client.release(true);
    }
  }
  const moveTo = (address: string) =>
    own('update device set address = $2 where business_id = $1', [businessId, address]);
  await moveTo(way.url);
  await own(
    "update membership set permissions = '{settle,check}' where business_id = $1 and role = 'business_user'",
    [businessId],
  );
  const admins = await Promise.all(servers.map((url) => Api.signIn(world, business.admin, url)));
  // Before anything breaks: what they do to a device or a doubt asks for it.
  for (const each of admins) await enrol(each, business.admin.password);
  const users = await Promise.all(servers.map((url) => Api.signIn(world, business.user, url)));
  let turn = 0;
  const by = (all: Api[]) => all[turn++ % all.length] as Api;
  const templates = world.zoho
    .documents()
    .filter((each) => each.organization_id === organizationId);
  const templateOf = (module: 'invoices' | 'creditnotes', what: string) =>
    world.zoho.document(
      module,
      templates.find((each) => each.module === module && each.what.startsWith(what))?.id ?? '',
    );
  const sale = templateOf('invoices', 'sale, refunded whole below');
  const note = templateOf('creditnotes', 'credit note of the whole sale');
  const judgedOf = (number: string) =>
    world.vsdc
      .receipts()
      .filter((each) => each.request.tin === taxpayerId && each.request.remark === number);
  let lastSignature = '';

  function newInvoice(isNewItem: boolean): { id: string; number: string; item: string } {
    documents += 1;
    const id = `99${String(documents).padStart(12, '0')}`;
    const number = `F-${documents}`;
    const item = `Item ${documents} of the table`;
    const document: Record<string, unknown> = {
      ...structuredClone(sale),
      invoice_id: id,
      invoice_number: number,
    };
    if (isNewItem) {
      const [line, ...rest] = document.line_items as Record<string, unknown>[];
      document.line_items = [
        { ...line, item_id: `77${String(documents).padStart(12, '0')}`, name: item },
        ...rest,
      ];
    }
    world.zoho.add('invoices', organizationId, document);
    return { id, number, item };
  }
  function newNote(of: { id: string; number: string }): { id: string; number: string } {
    documents += 1;
    const id = `98${String(documents).padStart(12, '0')}`;
    const number = `C-${documents}`;
    world.zoho.add('creditnotes', organizationId, {
      ...structuredClone(note),
      creditnote_id: id,
      creditnote_number: number,
      invoice_id: of.id,
      invoice_number: of.number,
      invoices: [],
      reference_number: of.number,
    });
    return { id, number };
  }

  const deviceOf = () => world.vsdc.device(taxpayerId, '00');
  const known = (): Known => ({
    sdcId: deviceOf().sdcId,
    total: deviceOf().total,
    signature: lastSignature,
  });

  /**
   * Brings a document to its end, doing what the panel would ask of people. Answers when it is
   * signed or refused.
   */
  async function settle(
    module: 'invoices' | 'creditnotes',
    document: { id: string; number: string },
    begin: () => Promise<unknown>,
  ) {
    const started = performance.now();
    let byPeople = false;
    let isBusy = false;
    const notes: string[] = [];
    const press = () =>
      by(users).seal(module, document.id, module === 'creditnotes' ? { reason_code: '06' } : {});
    const people = async (seen: Seen) => {
      const source = 'the portal of the authority';
      const say = (text: string) => {
        byPeople = true;
        notes.push(text);
      };
      if (seen.device_state === 'paused') {
        const numbers = world.vsdc
          .receipts()
          .filter((each) => each.request.tin === taxpayerId)
          .map((each) => Number(each.request.invcNo));
        const last = String(Math.max(Number(seen.number ?? 0), ...numbers));
        const branch = business.branchIds[0];
        const resumed = await by(admins).post(
          `/branches/${branch}/resume`,
          seen.code === 'number_collision' || seen.is_taken
            ? { last_invoice_number: last, evidence: source }
            : {},
        );
        if (resumed.status === 200) say(`resumed after ${seen.code}`);
      } else if (seen.state === 'in_doubt' && seen.code === 'signed_answer_lost') {
        const held = judgedOf(document.number).find(
          (each) => String(each.request.invcNo) === String(seen.number),
        );
        // Where another document was in doubt about its number before, whose it is is two persons'
        // word.
        if (held && seen.proposed) {
          if ((await confirmShown(by(users), seen.id, 'evidence')).status === 200)
            say('two said that the receipt is its own');
        } else if (held) {
          const brought = await by(admins).post(`/receipts/${seen.id}/evidence`, {
            ...evidenceOf(held),
            invoice_number: String(seen.number),
          });
          if (brought.status === 200) say('its data were brought');
        } else if (seen.proposed) {
          if ((await confirmShown(by(users), seen.id, 'evidence')).status === 200)
            say('two said that the number is another’s');
        } else await by(admins).post(`/receipts/${seen.id}/evidence`, { found: 'other', source });
      } else if (
        seen.state === 'in_doubt' &&
        seen.code === 'maybe_signed' &&
        performance.now() - started > lookAfterMs &&
        judgedOf(document.number).length === 0
      ) {
        // Accepted only once the device has refused it for good; until then it is asked again by
        // itself.
        if (
          (await by(admins).post(`/receipts/${seen.id}/evidence`, { found: false, source }))
            .status === 200
        )
          say('the authority holds nothing');
      } else if (seen.state === 'refused' && seen.code === 'refused_code') {
        // The device does not know an item it seemed to have taken: sealing again tells it once
        // more.
        await press();
        say('sealed again');
      }
    };
    const last = await new Promise<Seen | null>((resolve) => {
      const timer = setTimeout(() => resolve(null), settledWithinMs);
      watch.look(document.id, (seen) => {
        if (
          seen.state === 'signed' ||
          seen.state === 'withdrawn' ||
          (seen.state === 'refused' && seen.code !== 'refused_code')
        ) {
          clearTimeout(timer);
          resolve(seen);
        } else if (!isBusy) {
          isBusy = true;
          // A server that ends while somebody acts has said nothing: they look again.
          void people(seen)
            .catch(() => {})
            .finally(() => {
              isBusy = false;
            });
        }
      });
      void begin()
        .then(press)
        .catch(() => {});
    });
    watch.stop(document.id);
    return { last, byPeople, ms: performance.now() - started, note: notes.join('; ') };
  }

  async function signCleanly(): Promise<{ id: string; number: string }> {
    way.next([], known());
    const document = newInvoice(false);
    const { last } = await settle('invoices', document, async () => {});
    if (last?.state !== 'signed')
      throw new Error(`a clean sale was not signed: ${JSON.stringify(last)}`);
    lastSignature = last.signature ?? '';
    return document;
  }

  async function document(run: Run): Promise<Verdict> {
    const sold = run.kind === 'refund' ? await signCleanly() : null;
    const target = sold ? newNote(sold) : newInvoice(run.kind === 'item');
    const module = sold ? 'creditnotes' : 'invoices';
    let restore: (() => Promise<unknown>) | null = null;
    const begin = async () => {
      const after: Step[] = run.after === 'truth' ? [] : [{ code: run.after }];
      if (run.point === 'before_connect') {
        way.next(after, known());
        await moveTo(run.fault === 'stall' ? deaf : closed);
        restore = () => moveTo(way.url);
      } else if (run.point === 'before_commit' || run.point === 'after_commit') {
        way.next([], known());
        const how = { point: run.point, fault: run.fault as 'drop' };
        const { item } = target as { item?: string };
        proxy.break(
          run.kind === 'item'
            ? (said) =>
                said.includes(item as string) &&
                !said.includes('document_number') &&
                !said.includes('"sale"')
            : (said) => said.includes('"receipt_number"') && isOf(said, ids.get(target.id)),
          how,
        );
      } else way.next([{ point: run.point, fault: run.fault }, ...after], known());
    };
    const ids = new Map<string, string>();
    if (run.point === 'before_commit' || run.point === 'after_commit') void learnId(target.id, ids);
    if (run.point === 'before_connect') void untilTried(target.id).then(() => restore?.());
    const { last, byPeople, ms, note } = await settle(module, target, begin);
    await (restore as (() => Promise<unknown>) | null)?.();
    return verdictOf(run, judgedOf(target.number), last, { byPeople, ms, note });
  }

  /**
   * Which receipt a document has, as soon as it has one: what is recorded of it names that, not the
   * document.
   */
  async function learnId(documentId: string, ids: Map<string, string>): Promise<void> {
    for (let tries = 0; tries < 2_000 && !ids.has(documentId); tries++) {
      const { rows } = await own(
        'select id from receipt where business_id = $1 and document_id = $2',
        [businessId, documentId],
      );
      if (rows[0]) ids.set(documentId, rows[0].id);
      else await pause(2);
    }
  }
  const isOf = (said: string, id: string | undefined) => id !== undefined && said.includes(id);

  async function untilTried(documentId: string): Promise<void> {
    for (let tries = 0; tries < 400; tries++) {
      const { rows } = await own(
        'select problem from receipt where business_id = $1 and document_id = $2',
        [businessId, documentId],
      );
      if (rows[0]?.problem) return;
      await pause(20);
    }
  }

  async function initialisation(run: Run): Promise<Verdict> {
    documents += 1;
    const serial = `table-${documents}`;
    const code = String(1_000_000 + documents);
    const branchId = `brn_table${documents}`;
    const deviceId = `dev_table${documents}`;
    world.vsdc.approve({ tin: taxpayerId, bhfId: code, serial, name: 'TABLE' });
    await own(
      "insert into branch (business_id, id, branch_code, name, address, created_at) values ($1, $2, $3, 'T', '', now())",
      [businessId, branchId, code],
    );
    await own(
      `insert into device (business_id, id, branch_id, dialect, serial, environment, address, transport, state, created_at)
       values ($1, $2, $3, 'rw-vsdc', $4, 'sandbox', $5, 'direct', 'new', now())`,
      [
        businessId,
        deviceId,
        branchId,
        serial,
        run.point === 'before_connect' ? (run.fault === 'stall' ? deaf : closed) : way.url,
      ],
    );
    const after: Step[] = run.after === 'truth' ? [] : [{ code: run.after }];
    if (run.point === 'before_connect') way.next(after, known());
    else if (run.point === 'before_commit' || run.point === 'after_commit') {
      way.next([], known());
      proxy.break((said) => said.includes('last_invoice_number') && said.includes(deviceId), {
        point: run.point,
        fault: run.fault as 'drop',
      });
    } else way.next([{ point: run.point, fault: run.fault }, ...after], known());
    const started = performance.now();
    const notes: string[] = [];
    let byPeople = false;
    let isMarked = true;
    let state = 'new';
    const isDone = () => world.vsdc.device(taxpayerId, code).isInitialised;
    while (state !== 'active' && performance.now() - started < settledWithinMs) {
      const pressed = await by(admins).post(`/branches/${branchId}/initialise`);
      const { rows } = await own(
        "select state, problem->>'code' as code from device where business_id = $1 and id = $2",
        [businessId, deviceId],
      );
      state = rows[0].state;
      // What may have happened, and what has, stands on the device.
      if (state === 'new' && isDone() && rows[0].code === null) isMarked = false;
      if (run.point === 'before_connect')
        await own('update device set address = $3 where business_id = $1 and id = $2', [
          businessId,
          deviceId,
          way.url,
        ]);
      if (pressed.status !== 200) {
        byPeople = true;
        notes.push(String(pressed.body.code));
      }
      if (pressed.body.code === 'initialised_before' && isDone()) {
        const { sdcId, mrcNo } = world.vsdc.device(taxpayerId, code);
        await by(admins).post(`/branches/${branchId}/adopt`, {
          sdc_id: sdcId,
          mrc_number: mrcNo,
          last_invoice_number: '0',
        });
        notes.push('taken over');
        state = (
          await own('select state from device where business_id = $1 and id = $2', [
            businessId,
            deviceId,
          ])
        ).rows[0].state;
      }
    }
    const { rows } = await own(
      'select state, sdc_id from device where business_id = $1 and id = $2',
      [businessId, deviceId],
    );
    await forgetBranch(branchId, deviceId);
    const judged = isDone() ? 1 : 0;
    const recorded =
      rows[0].state === 'active' && rows[0].sdc_id === world.vsdc.device(taxpayerId, code).sdcId
        ? 1
        : 0;
    return {
      run,
      judged,
      recorded,
      verdict: !isMarked
        ? 'unmarked'
        : judged === 1 && recorded === 1
          ? 'once'
          : judged === 1
            ? 'lost'
            : 'stuck',
      settledBy: byPeople ? 'people' : 'itself',
      ms: performance.now() - started,
      note: notes.join('; '),
    };
  }

  await signCleanly();
  return {
    async one(run: Run): Promise<Verdict> {
      try {
        return await (run.kind === 'initialisation' ? initialisation(run) : document(run));
      } catch (error) {
        return {
          run,
          judged: 0,
          recorded: 0,
          verdict: 'stuck',
          settledBy: 'itself',
          ms: 0,
          note: String(error),
        };
      }
    },
    close: () => way.close(),
  };
}

function verdictOf(
  run: Run,
  judged: { reply: Record<string, unknown> }[],
  last: Seen | null,
  how: { byPeople: boolean; ms: number; note: string },
): Verdict {
  const recorded = last?.signature ? 1 : 0;
  const isSame = judged.length === 1 && judged[0]?.reply.rcptSign === last?.signature;
  const verdict =
    judged.length > 1
      ? 'double'
      : !last
        ? 'stuck'
        : judged.length === 1
          ? isSame
            ? 'once'
            : 'lost'
          : recorded === 1
            ? 'unmarked'
            : 'not_signed';
  return {
    run,
    judged: judged.length,
    recorded,
    verdict,
    settledBy: how.byPeople ? 'people' : 'itself',
    ms: how.ms,
    note: `${how.note}${last ? '' : ' (nothing seen in time)'} ${last?.code ?? ''}`.trim(),
  };
}
