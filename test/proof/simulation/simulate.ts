import { createHash, randomUUID } from 'node:crypto';
import { alertsOf } from '@muhuri/server/alerts/index';
import { recorder } from '@muhuri/server/audit/index';
import { chainAuditLog } from '@muhuri/server/audit/chain-audit-log';
import { verifyAuditLog } from '@muhuri/server/audit/verify-audit-log';
import { setNextDevice } from '@muhuri/server/branches/index';
import { adoptDevice, pauseLane } from '@muhuri/server/devices/index';
import { registerItems } from '@muhuri/server/catalogue/index';
import type { Context } from '@muhuri/server/context';
import { dayIn } from '@muhuri/server/dialect-kit/dates';
import { AppError } from '@muhuri/server/platform/app-error';
import type { Database, Tx } from '@muhuri/server/platform/db/database';
import { queryOne } from '@muhuri/server/platform/db/query';
import { silentLog } from '@muhuri/server/platform/log';
import { idsFrom } from '@muhuri/server/platform/new-id';
import type { Books } from '@muhuri/server/ports/books';
import type { Dialects } from '@muhuri/server/ports/dialect/index';
import type { BooksDocument } from '@muhuri/server/model/books-document.model';
import {
  type LanePorts,
  type Lanes,
  openLanes,
  createReceipt,
  prepareSale,
  resumeLane,
  runLane,
  confirmSettlement,
  settleWithEvidence,
  switchDevice,
  takeOverRefund,
  usualTiming,
  withdrawReceipt,
} from '@muhuri/server/receipts/index';
import { evidenceOf } from '../../authorities/rw-vsdc/evidence.ts';
import { makeRwVsdc, type RwVsdcDevice } from '../../authorities/rw-vsdc/simulator/index.ts';
import { creditNote, invoice } from './books.ts';
import {
  type Before,
  check,
  checkKept,
  checkTogether,
  type Facts,
  keyOf,
  newSeen,
  type Outside,
  type Seen,
} from './invariants.ts';
import { type Network, network } from './network.ts';
import { Random } from './random.ts';
import { type Owner, Scheduler } from './scheduler.ts';

export type Setting = {
  database: Database;
  dialects: Dialects;
  newBusiness(
    businessId: string,
    environment: 'sandbox' | 'production',
  ): Promise<{ branchId: string; deviceId: string }>;
  /** What the database holds, looked at from outside. */
  readFacts(businessId: string): Promise<Facts[]>;
};
export type Outcome = {
  seed: number;
  trace: string[];
  digest: string;
  steps: number;
  counts: Record<string, number>;
  problem: string | null;
};

const tin = '100200300';
const startsAt = Date.parse('2026-11-20T08:00:00Z');
const timing = { ...usualTiming, leaseMs: 45_000 };
const sweepMs = 20_000;
/** How long people and faults go on, and how long the calm after them may take. */
const usuallyBusyMs = 10 * 60_000;
const calmMs = 4 * 60 * 60_000;

type Server = {
  owner: Owner;
  ctx: Context;
  lanes: Lanes;
  ports: LanePorts;
  open: ReturnType<typeof createReceipt>;
};

/**
 * How a branch lives: with its one device; or rehearsing on a sandbox device first and going to
 * production in the middle of everything; or in production from the start. In the last two its
 * device may be replaced as well, and more than once. Or answers come late, to a server that slept
 * meanwhile and was taken for gone, while others send again what it had sent and people settle it.
 */
export type Life = 'one device' | 'rehearses' | 'replaces' | 'hears late';
/** Which of them a seed lives in the whole proof. */
export const lifeOf = (seed: number): Life =>
  (['one device', 'one device', 'rehearses', 'replaces', 'hears late'] as const)[seed % 5] as Life;

/**
 * One seed: the real use cases on the real database, with the device, the network, the clock, the
 * queue, Zoho and the people around them simulated. Every committed transaction is followed by the
 * invariants; at the end, in the calm, everything must be settled.
 */
export async function simulate(
  setting: Setting,
  seed: number,
  life: Life = 'one device',
): Promise<Outcome> {
  const busyMs = life === 'one device' ? usuallyBusyMs : 2 * usuallyBusyMs;
  const random = new Random(seed);
  const scheduler = new Scheduler(random, startsAt);
  const world: Owner = { name: 'world', isAlive: true };
  const clock = { now: () => new Date(scheduler.now) };
  const newId = idsFrom(clock, (bytes) => random.hex(bytes));
  // Of its own for each run; nothing that the seed decides hangs on its name.
  const businessId = `biz_sim${randomUUID()}`;
  const { branchId } = await setting.newBusiness(
    businessId,
    life === 'replaces' || life === 'hears late' ? 'production' : 'sandbox',
  );
  const makeDevice = (serial: string, more: object = {}): RwVsdcDevice => {
    const made = makeRwVsdc({
      approved: [{ tin, bhfId: '00', serial, name: 'SIMULATED TRADERS', ...more }],
      now: () => scheduler.now,
    });
    scheduler.began();
    void scheduler.track(() =>
      made.handle({
        method: 'POST',
        path: '/initializer/selectInitInfo',
        body: JSON.stringify({ tin, bhfId: '00', dvcSrlNo: serial }),
        bytes: Buffer.alloc(0),
        query: new URLSearchParams(),
        headers: {},
        socket: null as never,
      }),
    );
    return made;
  };
  type Stand = { address: string; device: RwVsdcDevice; seen: Seen; last: number };
  const stands: Stand[] = [
    { address: 'http://127.0.0.1:1', device: makeDevice('simulated'), seen: newSeen(), last: 0 },
  ];
  const standAt = (address: string | undefined): Stand =>
    stands.find((each) => each.address === address) as Stand;
  const { dialects } = setting;
  let isCalm = false;
  /** Until then the database is away: longer than a moment, and sometimes longer than a lease. */
  let awayUntil = 0;
  /** What a server did that none may do. */
  let broken: string | null = null;
  let isDirty = false;
  let all: Facts[] = [];
  /** Of the device at work. */
  let facts = null as Facts | null;
  const before: Before = { sealed: new Set(), created: new Set() };
  const sentLate = new Set<string>();
  const undone = new Set<string>();
  const receiptsOfAll = () => all.flatMap((each) => each.receipts);
  const net: Network = network({
    scheduler,
    random,
    world,
    deviceAt: (address) => standAt(address).device,
    lateTimeoutMs: timing.lateTimeoutMs,
    ...(life === 'hears late' ? { late: doze } : {}),
    broken: (promise) => {
      broken ??= promise;
    },
    known: (address) => ({
      lastTotal: all.find((each) => each.device.address === address)?.device.lastTotal ?? null,
      signatures: [...standAt(address).seen.signatures.values()].map(
        (each) => each.split('|').at(-1) as string,
      ),
    }),
  });
  const documents = new Map<string, BooksDocument>();
  const waiting = new Set<string>();
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const servers: Server[] = [];
  let server = startServer(1);

  function startServer(number: number): Server {
    const owner: Owner = { name: `server ${number}`, isAlive: true };
    let calls: { call: { business_id: string; device_id: string }; at: Date | undefined }[] = [];
    const transaction: Context['transaction'] = async (work) => {
      await scheduler.park(owner, 'transaction');
      const fate = isCalm
        ? 'fine'
        : scheduler.now < awayUntil
          ? 'refused'
          : random.weighted({ fine: 96, refused: 2, answer_lost: 2 });
      if (fate === 'refused') {
        count('transactions refused');
        throw new Error('the database is away');
      }
      calls = [];
      const done = await setting.database.transaction(businessId, async (tx) => {
        const result = await work(tx);
        const wrote = await queryOne<{ wrote: boolean }>(
          tx,
          'select pg_current_xact_id_if_assigned() is not null as wrote',
        );
        isDirty ||= wrote?.wrote ?? true;
        return result;
      });
      for (const each of calls) deliver(each.call.device_id, each.at);
      if (fate === 'answer_lost') {
        count('commits whose answer was lost');
        await scheduler.park(owner, 'its answer is lost');
        throw new Error('Connection terminated unexpectedly');
      }
      await scheduler.park(owner, 'committed');
      return done;
    };
    const ctx: Context = {
      businessId,
      actor: { type: 'job', id: 'simulation' },
      permissions: null,
      language: 'en',
      requestId: null,
      origin: null,
      transaction,
      registration: () => Promise.reject(new Error('none is begun here')),
    };
    const record = recorder(clock, newId);
    const books = simulatedBooks(owner);
    const queue = {
      wakeLane: async (_tx: Tx, call: { business_id: string; device_id: string }, at?: Date) =>
        void calls.push({ call, at }),
    };
    const vsdc = net.vsdcOf(owner);
    const prepare = prepareSale({
      books,
      dialects,
      clock,
      findUnprintable: async () => [],
      day: dayIn,
    });
    const ports: LanePorts = {
      vsdc,
      dialects,
      queue,
      record,
      alerts: alertsOf({ clock, newId, log: silentLog, record }),
      clock,
      startWatch: () => {
        const from = scheduler.now;
        return () => scheduler.now - from;
      },
      wait: (ms) => scheduler.wait(owner, ms, 'waited'),
      // Only for the log, which nobody reads here.
      after: () => () => {},
      newId,
      log: silentLog,
      timing,
      worker: `wrk_${number}`,
      underWay: new Map(),
      prepareSale: prepare,
      registerItems: registerItems({ vsdc, dialects, clock }),
      afterSigned: async () => {},
      background: (work) => void work.catch(() => {}),
      worked: async () => {},
      changed: () => {},
    };
    const run = runLane(ports);
    const lanes = openLanes({
      runLane: (of, id) => {
        scheduler.began();
        return scheduler.track(() => run(of, id));
      },
      contextOf: () => ctx,
      businessIds: async () => [businessId],
      clock,
      log: silentLog,
      atOnceMax: 8,
      run: async (_businessId, _job, work) => {
        await work();
        return true;
      },
      after: (ms, work) => scheduler.after(owner, ms, work),
    });
    const sweep = () => {
      scheduler.spawn(owner, 'sweep', () => lanes.sweep().catch(() => {}));
      scheduler.after(owner, sweepMs, sweep);
    };
    sweep();
    const started = {
      owner,
      ctx,
      lanes,
      ports,
      open: createReceipt({
        prepareSale: prepare,
        dialects,
        queue,
        record,
        alerts: ports.alerts,
        clock,
        newId,
      }),
    };
    servers.push(started);
    return started;
  }

  /** A call from the queue: usually once and soon, sometimes twice, sometimes never. */
  function deliver(id: string, at: Date | undefined): void {
    const fate = isCalm ? 'once' : random.weighted({ once: 90, twice: 5, never: 5 });
    // One waiting job a key, as the queue has it.
    const key = at ? `${id}@${Math.ceil(at.getTime() / 1000)}` : id;
    if (waiting.has(key)) return;
    if (fate !== 'never') waiting.add(key);
    for (let n = fate === 'once' ? 1 : fate === 'twice' ? 2 : 0; n > 0; n--)
      scheduler.after(
        world,
        Math.max(0, (at?.getTime() ?? 0) - scheduler.now) + random.between(1, 300),
        () => {
          waiting.delete(key);
          server.lanes.call(businessId, id);
        },
      );
  }

  function simulatedBooks(owner: Owner): Books {
    const unused = () => Promise.reject(new Error('not asked here'));
    return {
      async readDocument(_source, module, id) {
        await scheduler.park(owner, `reads ${module} ${id}`);
        if (!isCalm && random.chance(0.05)) throw new AppError('books_unavailable');
        const found = documents.get(`${module}/${id}`);
        return found ? { is: 'found', document: structuredClone(found) } : { is: 'missing' };
      },
      listModified: unused,
      readRecent: unused,
      readNames: unused,
    };
  }

  const crash = () => {
    count('crashes');
    scheduler.note('the server dies');
    const number = Number(server.owner.name.split(' ')[1]);
    scheduler.kill(server.owner);
    scheduler.after(world, random.between(500, 20_000), () => {
      scheduler.note('a server starts');
      server = startServer(number + 1);
    });
  };

  /**
   * The server that waits for a late answer sleeps for longer than its lease; another one takes its
   * place, and takes it for gone.
   */
  function doze(owner: Owner, document: string): void {
    // Somebody only slow may be taken for gone as well.
    sentLate.add(document);
    if (
      owner !== server.owner ||
      servers.filter((each) => each.owner.isAsleep).length > 2 ||
      !random.chance(0.85)
    )
      return;
    count('servers that slept');
    scheduler.sleep(owner, random.between(150_000, 540_000), world);
    server = startServer(Number(owner.name.split(' ')[1]) + 1);
  }

  const as = (ctx: Context, who: string): Context => ({
    ...ctx,
    actor: { type: 'person', id: who, membershipId: who, name: who },
  });

  /** Somebody asks the server for something; whatever it answers, they may ask again. */
  const ask = (name: string, work: (by: Server) => Promise<unknown>) => {
    if (server.owner.isAlive)
      scheduler.spawn(server.owner, name, () =>
        work(server).catch((error: unknown) => {
          scheduler.note(`  ${name}: ${error instanceof AppError ? error.code : String(error)}`);
          if (error instanceof AppError && error.code === 'signed_twice')
            count('kept from being sealed again');
        }),
      );
  };
  /**
   * Whoever opens a document from before says so, where they know that the other system has not
   * sealed it, and nothing otherwise.
   */
  const openOne = (module: BooksDocument['module'], id: string) => {
    const number = documents.get(`${module}/${id}`)?.number ?? '';
    const confirm =
      before.created.has(number) && !before.sealed.has(number)
        ? { confirm: ['before_production' as const] }
        : {};
    const more = module === 'creditnotes' ? { reason_code: '06', ...confirm } : confirm;
    ask(`opens ${module} ${id}`, ({ ctx, open }) =>
      open(ctx, { module, document_id: id, ...more }, false),
    );
  };

  /**
   * A device for the place of the one at work: prepared by people, and put in its place at some
   * later moment, whatever goes on meanwhile.
   */
  let coming: Stand | null = null;
  function comeOrSwitch(): void {
    if (!facts) return;
    const goes = facts.device.environment === 'sandbox' ? 'production' : 'replacement';
    if (coming && facts.device.address === coming.address) coming = null;
    if (!coming) {
      if (stands.length > 3) return;
      const { device } = standAt(facts.device.address);
      const number = stands.length + 1;
      const signed = device.receipts().map((each) => Number(each.request.invcNo));
      // What the authority knows may be behind what the device has signed: it uploads within a day.
      const lastInvoiceNumber = Math.max(0, ...signed.map((each) => each - random.below(2)));
      coming = {
        address: `http://127.0.0.1:${number}`,
        device: makeDevice(`simulated-${number}`, {
          sdcId: `SDC02000000${number}`,
          ...(goes === 'replacement'
            ? { before: { lastInvoiceNumber, sales: device.device(tin, '00').sales } }
            : {}),
        }),
        seen: newSeen(),
        last: goes === 'replacement' ? lastInvoiceNumber : 0,
      };
      stands.push(coming);
      count('devices prepared');
    }
    const { address, device, last } = coming;
    const serial = `simulated-${stands.indexOf(coming) + 1}`;
    const known = all.find((each) => each.device.address === address);
    if (!known)
      ask('enters the device that follows', ({ ctx, ports }) =>
        setNextDevice({ clock, newId, record: ports.record, dialects })(ctx, branchId, {
          for: goes,
          address,
          serial,
        }),
      );
    else if (known.device.next === null) {
      const { sdcId, mrcNo } = device.device(tin, '00');
      ask('adopts the device that follows', ({ ctx, ports }) =>
        adoptDevice({
          record: ports.record,
          clock,
          asking: new Set(),
          afterActive: async () => {},
        })(ctx, branchId, {
          sdc_id: sdcId,
          mrc_number: mrcNo,
          last_invoice_number: String(last),
        }),
      );
    } else
      ask('switches to the device that follows', ({ ctx, ports }) =>
        switchDevice(ports)(ctx, branchId, { reason: 'the computer is dead' }),
      );
  }

  /** Until the business seals for real, another system seals most of what is created. */
  const noteCreated = (number: string) => {
    if (life !== 'rehearses' || facts?.device.environment === 'production') return;
    before.created.add(number);
    if (random.chance(0.6)) before.sealed.add(number);
  };
  let next = 0;
  const act = () => {
    const action = random.weighted({
      invoice: 30,
      again: 15,
      credit: 8,
      edit: 6,
      void: 2,
      withdraw: 4,
      crash: 5,
      clock: 3,
      elsewhere: seed % (life === 'one device' ? 10 : 5) === 0 ? 4 : 0,
      people: 12,
      ...(life === 'rehearses' || life === 'replaces' ? { device: 35, twice: 6, pause: 4 } : {}),
      ...(life === 'hears late'
        ? { people: 120, crash: 2, again: 25, device: 4, pause: 3, away: 12 }
        : {}),
    } as Record<string, number>);
    const known = [...documents.values()];
    if (action === 'invoice' || known.length === 0) {
      next += 1;
      const id = String(next);
      documents.set(
        `invoices/${id}`,
        invoice(id, random.between(1, 40) * 100, random.between(1, 4), clock.now()),
      );
      noteCreated(`INV-${id}`);
      for (let n = random.between(1, 3); n > 0; n--) openOne('invoices', id);
    } else if (action === 'again') {
      const { module, id } = random.pick(known);
      openOne(module, id);
    } else if (action === 'credit') {
      const of = random.pick(known.filter((each) => each.module === 'invoices'));
      const id = `c${of.id}`;
      if (!documents.has(`creditnotes/${id}`)) {
        documents.set(`creditnotes/${id}`, creditNote(id, of, clock.now()));
        noteCreated(`CN-${id}`);
      }
      openOne('creditnotes', id);
    } else if (action === 'edit') {
      const of = random.pick(known.filter((each) => each.module === 'invoices'));
      documents.set(`invoices/${of.id}`, {
        ...invoice(of.id, random.between(1, 40) * 100, random.between(1, 4), of.createdAt as Date),
        status: of.status,
      });
    } else if (action === 'void') {
      const of = random.pick(known);
      documents.set(`${of.module}/${of.id}`, { ...of, status: 'void' });
    } else if (action === 'withdraw') {
      const receipt = receiptsOfAll().length > 0 ? random.pick(receiptsOfAll()) : null;
      if (receipt) ask('withdraws', ({ ctx, ports }) => withdrawReceipt(ports)(ctx, receipt.id));
    } else if (action === 'crash') {
      if (server.owner.isAlive) crash();
    } else if (action === 'away') {
      count('times the database was away');
      scheduler.note('the database goes away');
      awayUntil = scheduler.now + random.between(5_000, 90_000);
    } else if (action === 'clock') {
      scheduler.now += random.between(1, 90_000);
    } else if (action === 'elsewhere') {
      const { device, seen } = standAt(facts?.device.address ?? stands[0]?.address);
      const number = String((facts?.device.next ?? 1) + random.below(2));
      if (
        !device.receipts().some((each) => String(each.request.invcNo) === number) &&
        !seen.elsewhere.has(number)
      ) {
        device.signElsewhere(tin, '00', number);
        seen.elsewhere.add(number);
        count('signed by another program');
      }
    } else if (action === 'device') {
      comeOrSwitch();
    } else if (action === 'twice') {
      // Two people at once, each of whom believes to be the only one.
      comeOrSwitch();
      comeOrSwitch();
    } else if (action === 'pause') {
      ask('pauses the lane', ({ ctx, ports }) => pauseLane(ports)(ctx, branchId));
    } else settleByPeople();
  };

  /** People who tell the truth: they look at the authority's side and say what is there. */
  function settleByPeople(): void {
    if (!facts) return;
    for (const each of all) settleAt(each);
    if (facts.device.state === 'paused') {
      const { device, seen } = standAt(facts.device.address);
      const used = [
        ...device.receipts().map((each) => Number(each.request.invcNo)),
        ...[...seen.elsewhere].map(Number),
      ];
      const last_invoice_number = String(Math.max(facts.device.next - 1, ...used));
      const { next } = facts.device;
      // With nothing but a total that jumped the counter stays where it is, and so does what is
      // free.
      const met = receiptsOfAll().flatMap((each) =>
        each.problem === 'number_collision' && each.number !== null ? [each.number] : [],
      );
      const stays =
        life === 'hears late' &&
        Number(last_invoice_number) < next &&
        met.length === 0 &&
        !facts.device.isTaken;
      const dropped = stays
        ? []
        : facts.device.free.filter((number) => Number(number) <= Number(last_invoice_number));
      ask('resumes the lane', async ({ ctx, ports }) => {
        // What was free up to there is left to the other program, and so is what it went past.
        for (const number of [...dropped, ...(life === 'hears late' ? met : [])])
          seen.elsewhere.add(number);
        for (let number = next; number <= Number(last_invoice_number); number++)
          seen.elsewhere.add(String(number));
        // And so is what comes back up to there before the counter moves.
        if (life === 'hears late' && !stays)
          seen.leftTo = Math.max(seen.leftTo, Number(last_invoice_number));
        await resumeLane(ports)(ctx, branchId, {
          last_invoice_number,
          evidence: 'the log of the VSDC',
        });
      });
    }
    for (const each of receiptsOfAll().filter((one) => one.problem === 'refund_needs_takeover'))
      if (each.sale)
        ask('says that the successor takes the refund', ({ ctx, ports }) =>
          takeOverRefund(ports)(ctx, each.sale as string, { source: 'portal', answer: 'uploaded' }),
        );
  }

  /** The second person confirms the proposal that stood when they looked. */
  const seenOf = ({ proposedAt }: Facts['receipts'][number]) => ({
    proposed_at: proposedAt as string,
  });

  /**
   * What a person says of a late signature: it is the receipt, where there is no other and the
   * server agrees; or it was undone at the authority.
   */
  const said = new Map<string, 'receipt' | 'undone'>();
  const pressed = new Set<string>();
  function settleLate(receipt: Facts['receipts'][number]): void {
    const open = receipt.late?.find((each) => each.settledAs === null);
    if (!open) return;
    // Somebody who has not heard of it presses first.
    if (!pressed.has(open.is)) {
      pressed.add(open.is);
      const [module, id] = receipt.document.split('/') as [BooksDocument['module'], string];
      return openOne(module, id);
    }
    const word =
      said.get(open.is) ??
      (receipt.signature === null && random.chance(0.6) ? 'receipt' : 'undone');
    said.set(open.is, word);
    if (word === 'undone') undone.add(open.is);
    if (receipt.proposedAt !== null && random.chance(0.5))
      return ask('confirms what became of a late signature', ({ ctx, ports }) =>
        confirmSettlement(ports)(as(ctx, 'second'), receipt.id, seenOf(receipt)),
      );
    const is = {
      found: 'late' as const,
      receipt_signature: open.is.split('|').at(-1) as string,
      as: word,
      source: 'the portal of the authority',
    };
    ask(`says that a late signature is ${word}`, ({ ctx, ports }) =>
      settleWithEvidence(ports)(as(ctx, 'first'), receipt.id, is).catch((error: unknown) => {
        // Then they have it refunded.
        if (error instanceof AppError) said.set(open.is, 'undone');
        throw error;
      }),
    );
  }

  /**
   * Whether people do not find what the device holds: its answer is still on its way, and the
   * authority's list is behind.
   */
  const blind = new Map<string, boolean>();
  const isBlind = (address: string, number: string, document: string): boolean => {
    const key = `${address} ${number} ${document}`;
    if (!blind.has(key)) blind.set(key, random.chance(0.9));
    return blind.get(key) as boolean;
  };

  const brought = new Set<string>();
  function settleAt({ receipts, device: { address = '', state } }: Facts): void {
    const { device, seen } = standAt(address);
    for (const each of receipts) settleLate(each);
    const isRetired = state === 'retired';
    for (const receipt of receipts.filter(
      (each) => each.state === 'in_doubt' && each.problem !== 'number_collision',
    )) {
      const { number, documentNumber } = receipt;
      const isUnseen =
        number !== null &&
        net.isOnWay(address, number, documentNumber, server.owner) &&
        isBlind(address, number, documentNumber);
      const held = isUnseen
        ? undefined
        : device
            .receipts()
            .find(
              (each) =>
                String(each.request.invcNo) === number && each.request.remark === documentNumber,
            );
      const source = 'the portal of the authority';
      if (!held) {
        // Under the number there is nothing, or what another program has signed.
        const isAnothers =
          life === 'hears late' &&
          device
            .receipts()
            .some(
              (each) =>
                String(each.request.invcNo) === number && each.request.remark !== documentNumber,
            );
        const isOthers =
          seen.elsewhere.has(number ?? '') ||
          ((isUnseen || isAnothers) && receipt.problem === 'signed_answer_lost');
        if (isOthers) seen.elsewhere.add(number ?? '');
        const isUnasked =
          receipt.problem === 'maybe_signed_under_either' ||
          (receipt.problem === 'maybe_signed' && receipt.isContested);
        const late =
          isRetired || isUnasked
            ? { listed_at: clock.now().toISOString(), cannot_upload: true as const }
            : {};
        if ((isRetired || isOthers || isUnasked) && receipt.proposedAt !== null)
          ask('confirms what the authority has', ({ ctx, ports }) =>
            confirmSettlement(ports)(as(ctx, 'second'), receipt.id, seenOf(receipt)),
          );
        else if (isOthers)
          ask('says it is another’s', ({ ctx, ports }) =>
            settleWithEvidence(ports)(as(ctx, 'first'), receipt.id, {
              found: 'other',
              source,
              ...late,
            }),
          );
        else
          ask('says it is not there', ({ ctx, ports }) =>
            settleWithEvidence(ports)(isRetired || isUnasked ? as(ctx, 'first') : ctx, receipt.id, {
              found: false,
              source,
              ...late,
            }),
          );
        continue;
      }
      // Two persons, where another document may be the number's as well; the second one looks at
      // what the first one brought.
      if (receipt.proposedAt !== null && brought.has(receipt.id))
        ask('confirms whose the receipt is', ({ ctx, ports }) =>
          confirmSettlement(ports)(as(ctx, 'second'), receipt.id, seenOf(receipt)),
        );
      else
        ask('brings the receipt', async ({ ctx, ports }) => {
          await settleWithEvidence(ports)(ctx, receipt.id, {
            ...evidenceOf(held),
            mrc_number: String(held.reply.mrcNo),
          });
          brought.add(receipt.id);
        });
    }
  }

  const keptLate = () => receiptsOfAll().flatMap((each) => each.late ?? []);
  const outsideOf = (
    address: string,
    kept = new Set(keptLate().map((each) => each.is)),
  ): Outside => ({
    isOnWay: (number, document) => net.isOnWay(address, number, document),
    late: sentLate,
    undone,
    kept,
  });
  const observe = async (): Promise<string | null> => {
    if (!isDirty) return null;
    isDirty = false;
    const doubted = receiptsOfAll()
      .filter((each) => each.state === 'in_doubt')
      .map((each) => each.id);
    const atWork = facts?.device.address;
    all = await setting.readFacts(businessId);
    facts =
      all.find(
        (each) =>
          each.device.state !== 'retired' && (each.device.state !== 'new' || all.length === 1),
      ) ?? null;
    if (atWork !== undefined && facts && facts.device.address !== atWork) {
      count(
        facts.device.environment === 'production' &&
          standAt(atWork) === stands[0] &&
          life === 'rehearses'
          ? 'went to production'
          : 'devices replaced',
      );
      const stand = standAt(facts.device.address);
      // Nothing was frozen yet in the transaction that put it there: its run begins here, above
      // everything that was ever frozen or is known.
      stand.seen.first = facts.device.next;
      const environment = facts.device.environment;
      const frozen = all
        .filter((each) => each.device.environment === environment)
        .flatMap((each) =>
          each.receipts.flatMap((one) => one.attempts.map((a) => Number(a.number))),
        );
      if (facts.device.next <= Math.max(stand.last, ...frozen))
        return 'the run of the successor begins at a number that was given before';
    }
    for (const each of receiptsOfAll())
      for (const { is, settledAs } of each.late ?? [])
        if (settledAs === null && !stands.some(({ seen }) => seen.late.has(is)))
          count(
            `signed late when ${each.state === 'queued' || each.state === 'in_doubt' ? 'sent anew' : each.state}`,
          );
    for (const each of receiptsOfAll())
      if (each.state === 'in_doubt' && !doubted.includes(each.id)) count('doubts begun');
    for (const each of all.filter((one) => one.device.state !== 'new')) {
      const { device, seen } = standAt(each.device.address);
      const broken = check(each, device.receipts(), seen, outsideOf(each.device.address as string));
      if (broken) return `${each.device.environment}: ${broken}`;
    }
    const judgedBy = (address: string) => standAt(address).device.receipts();
    return (
      checkTogether(all, judgedBy, before, outsideOf('')) ??
      checkKept(
        all,
        stands.map((each) => each.seen),
        judgedBy,
      )
    );
  };

  const schedule = () => {
    act();
    if (scheduler.now < startsAt + busyMs)
      scheduler.after(world, random.between(1, 100_000), schedule);
  };
  scheduler.after(world, 1, schedule);

  let steps = 0;
  let problem: string | null = null;
  const runUntil = async (until: number, isOver: () => boolean): Promise<void> => {
    while (!problem && !isOver() && (await scheduler.step(until))) {
      steps += 1;
      problem = broken ?? (await observe());
    }
  };
  try {
    await runUntil(startsAt + busyMs, () => false);
    // The calm: no more faults; people do what they are asked to, and everything that waits has its
    // reason and its end.
    isCalm = true;
    net.calm();
    const calmFrom = Math.max(scheduler.now, startsAt + busyMs);
    scheduler.now = calmFrom;
    if (!server.owner.isAlive) server = startServer(99);
    const isOver = (each: Facts['receipts'][number]) =>
      ['signed', 'refused', 'withdrawn'].includes(each.state) && !each.isContested;
    const isSettled = () =>
      facts !== null &&
      receiptsOfAll().every(isOver) &&
      servers.every((each) => !each.owner.isAsleep) &&
      !net.isAnyOnWay();
    const care = () => {
      settleByPeople();
      // Those whose place was taken have nothing more to do once everything has reached them.
      for (const { owner } of servers)
        if (owner !== server.owner && !owner.isAsleep && !net.isAnyOnWay(owner))
          scheduler.kill(owner);
      scheduler.after(world, 60_000, care);
    };
    scheduler.after(world, 1, care);
    // What is in doubt at a device that was retired waits for a list of the authority taken two
    // days later; until then everything late has come.
    const daysMs = life === 'one device' ? 0 : 49 * 60 * 60_000;
    if (daysMs > 0) {
      await runUntil(calmFrom + 2 * timing.lateTimeoutMs, isSettled);
      scheduler.now = Math.max(scheduler.now, calmFrom + daysMs);
    }
    await runUntil(calmFrom + daysMs + calmMs, isSettled);
    if (!problem && facts && !isSettled())
      problem = `not settled in the calm: ${JSON.stringify(receiptsOfAll().filter((each) => !isOver(each)))}`;
    problem ??= await atTheEnd(setting.database, businessId, server.ctx);
    for (const each of all.filter((one) => one.device.state !== 'new')) {
      const judged = standAt(each.device.address).device.receipts();
      const gone = keptLate().filter(
        ({ is, settledAs }) => settledAs !== 'receipt' && judged.some((one) => keyOf(one) === is),
      ).length;
      const signed = each.receipts.filter((one) => one.state === 'signed').length;
      if (signed + gone !== judged.length)
        problem ??= `${judged.length} receipts at the device, ${signed} with us and ${gone} undone`;
    }
  } catch (error) {
    problem = (error as Error).stack ?? String(error);
  }
  for (const each of servers) scheduler.kill(each.owner);
  for (const { settledAs } of keptLate()) count(`late signatures settled as ${settledAs}`);
  for (const receipt of receiptsOfAll()) count(`receipts ${receipt.state}`);
  for (const each of all)
    if (each.device.environment === 'sandbox' && life !== 'one device')
      counts['test receipts'] = each.receipts.filter((one) => one.state === 'signed').length;
  counts['receipts at the device'] = stands.reduce(
    (sum, each) => sum + each.device.receipts().length,
    0,
  );
  const digest = createHash('sha256').update(scheduler.trace.join('\n')).digest('hex');
  return { seed, trace: scheduler.trace, digest, steps, counts, problem };
}

/** The chain of the trail holds. */
async function atTheEnd(
  database: Database,
  businessId: string,
  ctx: Context,
): Promise<string | null> {
  const calm: Context = { ...ctx, transaction: (work) => database.transaction(businessId, work) };
  await chainAuditLog(calm, []);
  const verdict = await verifyAuditLog(calm);
  return verdict.brokenAt !== null || verdict.unsealed.length > 0
    ? `the trail does not hold: ${JSON.stringify(verdict)}`
    : null;
}
