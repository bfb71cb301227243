import type { DeviceAnswer } from '@muhuri/server/ports/dialect/index';
import type { Sent, Vsdc } from '@muhuri/server/ports/vsdc';
import type { RwVsdcDevice } from '../../authorities/rw-vsdc/simulator/index.ts';
import { everyCode } from '../codes.ts';
import type { Random } from './random.ts';
import type { Owner, Scheduler } from './scheduler.ts';

const answerTimeoutMs = 30_000;

/** What becomes of one question to the device. */
const fates = {
  fine: 50,
  unreachable: 6,
  request_lost: 5,
  response_lost: 7,
  answer_late: 5,
  request_late: 4,
  http_500: 3,
  html: 2,
  garbage: 3,
  empty_success: 3,
  total_not_above: 2,
  signature_held: 2,
  other_sdc: 2,
  code: 8,
};
type Fate = keyof typeof fates;

const takenCodes = ['924', '994'];
const refusals = ['881', '884', '891', '910', '913'];
const notServed = ['838', '838', '838', '901', '836'];
const doubts = ['894', '899', '921', '990', '991', '999', '805', '777'];

/** The same where what comes late is looked for, and nothing is forged. */
const lateFates: Record<Fate, number> = {
  ...fates,
  fine: 30,
  answer_late: 30,
  request_late: 12,
  total_not_above: 0,
  signature_held: 0,
  other_sdc: 0,
};

const isSigned = (answer: DeviceAnswer | undefined): boolean =>
  answer !== undefined && JSON.parse(answer.body).resultCd === '000';

/** An answer that still may come, and who listens for it. */
class Late {
  readonly #scheduler: Scheduler;
  readonly #owner: Owner;
  #answer: { value: DeviceAnswer | null } | null = null;
  #heard: ((answer: DeviceAnswer | null) => unknown) | null = null;
  /** What it brought has been dealt with, for good or ill, or nothing will ever come. */
  isOver = false;
  constructor(scheduler: Scheduler, owner: Owner) {
    this.#scheduler = scheduler;
    this.#owner = owner;
  }
  /** Whether something may come yet. */
  get isOpen(): boolean {
    return this.#answer === null;
  }
  come(value: DeviceAnswer | null): void {
    this.#answer ??= { value };
    if (value === null) this.isOver = true;
    this.#tell?.();
  }
  #tell: (() => void) | null = null;
  // oxlint-disable-next-line unicorn/no-thenable -- It stands for a promise, so that the scheduler learns when it is listened to.
  then(heard: (answer: DeviceAnswer | null) => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#heard = heard;
      this.#tell = () => {
        if (!this.#answer || !this.#owner.isAlive) return;
        // Whoever sleeps hears it afterwards.
        if (this.#owner.isAsleep)
          return void this.#scheduler.after(this.#owner, 0, () => this.#tell?.());
        this.#tell = null;
        const { value } = this.#answer;
        this.#scheduler.began();
        void this.#scheduler
          .track(async () => this.#heard?.(value))
          .finally(() => {
            this.isOver = true;
          })
          .then(resolve, reject);
      };
      this.#tell();
    });
  }
}

/** What the server holds of this device: what an answer must not contradict. */
export type Known = { lastTotal: number | null; signatures: string[] };

export type Network = {
  vsdcOf(owner: Owner): Vsdc;
  calm(): void;
  /**
   * Whether the signature of a document under a number is still on its way to somebody who lives
   * and listens; `except`: other than this one.
   */
  isOnWay(address: string, number: string, document: string, except?: Owner): boolean;
  /** Whether anything is still on its way, to anybody or to this one. */
  isAnyOnWay(to?: Owner): boolean;
};

/** Between the server and the device: loses, delays and forges, as the seed says. */
export function network(ports: {
  scheduler: Scheduler;
  random: Random;
  world: Owner;
  deviceAt(address: string): RwVsdcDevice;
  lateTimeoutMs: number;
  known(address: string): Known;
  /**
   * Where what comes late is looked for: told of each send whose answer will be, so that whoever
   * waits for it may be taken for gone.
   */
  late?(owner: Owner, document: string): void;
  /** Told of what no server may do. */
  broken?(promise: string): void;
}): Network {
  const { scheduler, random, world } = ports;
  let isCalm = false;
  const sent = new Set<string>();
  const onWay: {
    late: Late;
    owner: Owner;
    address: string;
    number: string;
    document: string;
    brings?: DeviceAnswer;
  }[] = [];
  const askOf =
    (device: RwVsdcDevice) =>
    async (path: string, body: string): Promise<DeviceAnswer> => {
      const asked = {
        method: 'POST',
        path,
        body,
        bytes: Buffer.from(body),
        query: new URLSearchParams(),
        headers: {},
        socket: null as never,
      };
      const answered = await device.handle(asked);
      return { status: answered?.status ?? 500, body: String(answered?.body ?? '') };
    };
  const envelope = (code: string, data: unknown = null): DeviceAnswer => ({
    status: 200,
    body: JSON.stringify({
      resultCd: code,
      resultMsg: code === '000' ? 'It is succeeded' : `Said ${code}`,
      resultDt: '20261120101533',
      data,
    }),
  });
  const changedAt =
    (device: RwVsdcDevice) =>
    (answer: DeviceAnswer, data: Record<string, unknown>): DeviceAnswer => {
      const { data: real } = JSON.parse(answer.body) as { data: Record<string, unknown> | null };
      return envelope('000', { ...(real ?? forgedBy(device)), ...data });
    };
  const forgedBy = (device: RwVsdcDevice) => ({
    rcptNo: 1,
    totRcptNo: 1,
    intrlData: 'A'.repeat(26),
    rcptSign: 'B'.repeat(16),
    vsdcRcptPbctDate: '20261120101533',
    sdcId: device.device('100200300', '00').sdcId,
    mrcNo: 'WIS00000001',
  });

  /** The connection is closed: nothing comes any more. */
  const closed = (owner: Owner): Late => {
    const late = new Late(scheduler, owner);
    late.come(null);
    return late;
  };

  const sale = async (owner: Owner, address: string, path: string, body: string): Promise<Sent> => {
    const device = ports.deviceAt(address);
    const ask = askOf(device);
    const changed = changedAt(device);
    const known = () => ports.known(address);
    const isResend = sent.has(body);
    sent.add(body);
    const { invcNo, remark } = JSON.parse(body) as { invcNo: number; remark: string };
    const isSame = (each: (typeof onWay)[number]) =>
      each.address === address && each.number === String(invcNo) && each.document === remark;
    if (onWay.some((each) => each.owner === owner && isSame(each) && each.late.isOpen))
      ports.broken?.(
        `${remark} was sent again under ${invcNo} by a server that still listened for the answer to the send before`,
      );
    const fate: Fate = isCalm
      ? 'fine'
      : random.weighted(!ports.late ? fates : isResend ? { ...lateFates, code: 80 } : lateFates);
    scheduler.note(`  ${fate}`);
    if (fate === 'unreachable') return { is: 'unreachable', reason: 'ECONNREFUSED' };
    const answered = async (answer: DeviceAnswer): Promise<Sent> => {
      await scheduler.wait(owner, random.between(1, 400), 'the answer comes');
      return { is: 'answered', answer };
    };
    const lost = async (reason: string, late = closed(owner)): Promise<Sent> => {
      await scheduler.wait(
        owner,
        reason === 'no answer in time' ? answerTimeoutMs : random.between(1, 400),
        'the answer does not come',
      );
      return { is: 'in_doubt', reason, late: late as unknown as Promise<DeviceAnswer | null> };
    };
    // Whether the device has done its work before the answer went wrong.
    const isDone = random.chance(0.5);
    const real = async () => (isDone ? await ask(path, body) : envelope('894'));
    switch (fate) {
      case 'fine':
        return answered(await ask(path, body));
      case 'request_lost':
        return lost('ECONNRESET');
      case 'response_lost':
        await ask(path, body);
        return lost('ECONNRESET');
      case 'answer_late':
      case 'request_late': {
        const late = new Late(scheduler, owner);
        const afterMs =
          answerTimeoutMs + random.between(1, ports.lateTimeoutMs - answerTimeoutMs - 1_000);
        let waits: (typeof onWay)[number] | undefined;
        if (ports.late) {
          waits = { late, owner, address, number: String(invcNo), document: remark };
          onWay.push(waits);
          ports.late(owner, remark);
        }
        if (fate === 'answer_late') {
          const answer = await ask(path, body);
          if (waits) waits.brings = answer;
          const isHeard = ports.late !== undefined || random.chance(0.6);
          scheduler.after(world, afterMs, () => late.come(isHeard ? answer : null));
        } else {
          scheduler.after(world, afterMs, () => {
            // It would have to come over a connection that went with its process.
            if (ports.late && !owner.isAlive) return;
            scheduler.began();
            void scheduler.track(async () => {
              const answer = await ask(path, body);
              if (waits) waits.brings = answer;
              scheduler.note('  a late request arrived');
              late.come(answer);
            });
          });
        }
        return lost('no answer in time', late);
      }
      case 'http_500':
        await real();
        return answered({ status: 500, body: 'Internal Server Error' });
      case 'html':
        await real();
        return answered({ status: 200, body: '<html><body>Tomcat</body></html>' });
      case 'garbage':
        await real();
        return answered({ status: 200, body: '{"resultCd":"000","resultMsg":"It is succ' });
      case 'empty_success':
        await real();
        return answered(envelope('000'));
      case 'total_not_above': {
        const { lastTotal } = known();
        const answer = await real();
        // Without a total that is known there is none to be above.
        if (lastTotal === null) return answered(envelope('000'));
        return answered(
          changed(answer, {
            totRcptNo: random.between(1, lastTotal),
            rcptSign: random.hex(8).toUpperCase(),
          }),
        );
      }
      case 'signature_held': {
        const answer = await real();
        const { signatures, lastTotal } = known();
        return answered(
          signatures.length > 0
            ? changed(answer, {
                rcptSign: random.pick(signatures),
                ...(isDone ? {} : { totRcptNo: (lastTotal ?? 0) + 1 }),
              })
            : envelope('000'),
        );
      }
      case 'other_sdc':
        return answered(changed(await real(), { sdcId: 'SDC019999999' }));
      case 'code': {
        if (isResend && ports.late && random.chance(0.8))
          return answered(envelope(random.pick(refusals)));
        if (isResend)
          return answered(
            envelope(
              random.pick(everyCode.filter((each) => each !== '000' && !takenCodes.includes(each))),
            ),
          );
        const code = random.pick(
          random.chance(0.4) ? refusals : random.chance(0.4) ? notServed : doubts,
        );
        if (doubts.includes(code)) await real();
        return answered(envelope(code));
      }
    }
  };

  return {
    vsdcOf: (owner) => ({
      async send({ address }, { path, body }, onBehalf) {
        await scheduler.park(owner, `asks ${path}`);
        // Time may have jumped while the device was looked for.
        if (onBehalf.as === 'sale' && !onBehalf.mayLeave()) {
          scheduler.note('  too late to leave');
          return { is: 'unreachable', reason: 'too late' };
        }
        if (path.endsWith('/saveSales')) return sale(owner, address, path, body);
        const isLost = !isCalm && random.chance(0.15);
        const isHeard = !isLost || random.chance(0.5);
        const answer = isHeard ? await askOf(ports.deviceAt(address))(path, body) : null;
        if (!isLost && answer) return { is: 'answered', answer };
        return random.chance(0.5)
          ? { is: 'unreachable', reason: 'ECONNREFUSED' }
          : {
              is: 'in_doubt',
              reason: 'ECONNRESET',
              late: closed(owner) as unknown as Promise<null>,
            };
      },
    }),
    calm() {
      isCalm = true;
    },
    isAnyOnWay: (to) =>
      onWay.some((each) => each.owner.isAlive && !each.late.isOver && (!to || each.owner === to)),
    isOnWay: (address, number, document, except) =>
      onWay.some(
        (each) =>
          each.address === address &&
          each.number === number &&
          each.document === document &&
          each.owner !== except &&
          each.owner.isAlive &&
          !each.late.isOver &&
          isSigned(each.brings),
      ),
  };
}
