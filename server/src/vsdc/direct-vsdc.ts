import type { DeviceRequest } from '../ports/dialect/index.ts';
import type { OnBehalf, Sent, Vsdc } from '../ports/vsdc.ts';
import type { AddressPolicy } from '../platform/address-policy.ts';
import { AppError } from '../platform/app-error.ts';
import { openFairQueue } from '../platform/fair-queue.ts';
import { deviceAgents } from './device-agents.ts';
import { exchange, type Exchanged, type ExchangePorts, neverSent } from './http-exchange.ts';
import { places } from './send-slots.ts';
import { type DirectSettings, usualSettings } from './settings.ts';

export { type DirectSettings, usualSettings };

export type DirectVsdc = Vsdc & {
  /**
   * Once every device that is being asked at this moment has answered, or has had the time for it;
   * late answers are not waited for.
   */
  answered(): Promise<void>;
  /** Ends every connection. Nothing is sent from then on. */
  close(): Promise<void>;
};

/** Sends one request and says what came of it. */
type Ask = (address: string, request: DeviceRequest, onBehalf: OnBehalf) => Promise<Sent>;
type Exchange = (address: string, request: DeviceRequest, onBehalf: OnBehalf) => Promise<Exchanged>;

/**
 * Reaches a device directly: the server stands on its LAN or VPN. A fresh connection per request
 * (with kept ones, devices that drop idle connections make false doubts), no retry at any level, no
 * redirect. After the time-out a sale's socket stays open, and a late answer is delivered through
 * `late`; that of anything else is closed. A business has so many connections and no more, with a
 * share for its sales.
 */
export function directVsdc(
  policy: AddressPolicy,
  settings: DirectSettings = usualSettings,
): DirectVsdc {
  let isClosed = false;
  const agents = deviceAgents(settings);
  const asked = new Set<Promise<unknown>>();
  const counted = counting({ policy, settings, agents, isClosed: () => isClosed }, asked);
  const ask = askInTurn(counted, settings);
  const askForLane = askInPlace(counted, settings);
  return {
    send: async ({ address }, request, onBehalf) =>
      isClosed
        ? neverSent
        : (onBehalf.as === 'question' ? ask : askForLane)(address, request, onBehalf),
    async answered() {
      await Promise.all(asked);
    },
    async close() {
      isClosed = true;
      await agents.destroy();
    },
  };
}

/** Makes exchanges that stand among those `asked` until they have ended. */
const counting =
  (ports: ExchangePorts, asked: Set<Promise<unknown>>): Exchange =>
  (address, request, onBehalf) => {
    const done = exchange(ports, address, request, onBehalf);
    const end = done.then(
      () => {},
      () => {},
    );
    asked.add(end);
    void end.finally(() => asked.delete(end));
    return done;
  };

const tooMany = 'too many connections of this business are open';

/** What can be asked again waits for a place; nothing has left where there is none. */
function askInTurn(exchange: Exchange, settings: DirectSettings): Ask {
  const questions = openFairQueue({
    atOnce: settings.questionsMax,
    lineMost: 50,
    waitMs: settings.answerTimeoutMs,
  });
  return (address, request, onBehalf) =>
    questions(
      onBehalf.businessId,
      async () => (await exchange(address, request, onBehalf)).sent,
    ).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'business_busy')
        return { is: 'unreachable', reason: tooMany };
      throw error;
    });
}

/** What a lane sends has a place at once or is not sent; the place is free once its socket is. */
function askInPlace(exchange: Exchange, settings: DirectSettings): Ask {
  const lanes = places();
  return async (address, request, onBehalf) => {
    const { businessId } = onBehalf;
    const leave = lanes.take([
      [businessId, settings.lanesMax],
      [`${businessId} ${address}`, settings.lanePerDeviceMax],
    ]);
    if (!leave) return { is: 'unreachable', reason: tooMany };
    const { sent, closed } = await exchange(address, request, onBehalf).catch((error: unknown) => {
      leave();
      throw error;
    });
    void Promise.resolve(closed).finally(leave);
    return sent;
  };
}
