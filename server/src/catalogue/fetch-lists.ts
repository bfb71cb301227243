import type { StoredProblem } from '@muhuri/shared/problems';
import type { Device } from '../branches/index.ts';
import type { Context } from '../context.ts';
import type {
  Code,
  DeviceAnswer,
  DeviceRequest,
  DialectDevice,
  Dialects,
  SetUpReply,
} from '../ports/dialect/index.ts';
import type { Vsdc } from '../ports/vsdc.ts';

export type FetchPorts = { vsdc: Vsdc; dialects: Dialects };

export type FetchedList = { list: string; codes: Code[] };
/** What could be fetched, and the first problem there was. */
export type FetchedLists = {
  lists: FetchedList[];
  /** Whether the authority has answered for its lists. */
  hasContact: boolean;
  problem: StoredProblem | null;
};

type Asked<T> = { value: T | null; problem: null } | { value: null; problem: StoredProblem };
type Question<T> = {
  toRequest(device: DialectDevice): DeviceRequest;
  read(answer: DeviceAnswer): SetUpReply<T>;
};

/**
 * Fetches a device's code lists and then its item classes. `onStep` is called in between, so that
 * people see how far it is.
 */
export async function fetchLists(
  ports: FetchPorts,
  ctx: Context,
  device: Device,
  taxpayerId: string,
  onStep: () => Promise<unknown>,
): Promise<FetchedLists> {
  const { codes } = ports.dialects.of(device.dialect);
  const named = { taxpayerId, branchCode: device.branchCode, serial: device.serial };
  const ask = <T>(question: Question<T> | undefined) =>
    question ? askDevice(ports, ctx, device, named, question) : nothing;
  const lists = await ask(codes?.lists);
  await onStep();
  const classes = await ask(codes?.itemClasses);
  return {
    lists: [
      ...(lists.value ?? []),
      ...(classes.value ? [{ list: 'item_class', codes: classes.value }] : []),
    ],
    hasContact: lists.value !== null,
    problem: lists.problem ?? classes.problem,
  };
}

/** The authority's devices give no such list. */
const nothing = { value: null, problem: null } as const;

async function askDevice<T>(
  { vsdc }: FetchPorts,
  { businessId }: Context,
  device: Device,
  named: DialectDevice,
  question: Question<T>,
): Promise<Asked<T>> {
  const sent = await vsdc.send(device, question.toRequest(named), { businessId, as: 'question' });
  const failed = (problem: StoredProblem) => ({ value: null, problem });
  if (sent.is === 'address_refused')
    return failed({ code: 'device_address_refused', reason: sent.reason });
  if (sent.is === 'unreachable') return failed({ code: 'device_unreachable', reason: sent.reason });
  if (sent.is === 'in_doubt') return failed({ code: 'device_no_answer', reason: sent.reason });
  const reply = question.read(sent.answer);
  if (reply.is === 'done') return { value: reply.value, problem: null };
  const { deviceCode: device_code, deviceText: device_text } = reply;
  return failed({ code: 'device_offline', device_code, device_text });
}
