import type { OperatorLogRecorder, Recorder } from '../audit/index.ts';
import type { Runtime } from '../platform/runtime.ts';
import { addressChanges } from './email-change/address-changes.ts';
import type { SignInParts } from './open-sign-in.ts';
import { waysBack } from './account-recovery/ways-back.ts';

/** Opens how somebody gets in again who has lost their way, and how that is objected to. */
export function openRecovery(
  runtime: Runtime,
  needs: { record: Recorder; recordPlatform: OperatorLogRecorder },
  { sessions, tries, notify, checkWho }: SignInParts,
) {
  const { database, clock, newId, log, sendMail, publicUrl, background } = runtime;
  const { record, recordPlatform } = needs;
  const common = {
    database,
    clock,
    newId,
    record,
    sendMail,
    publicUrl,
    sessions,
    tries,
    notify,
    background,
    log,
  };
  const ways = waysBack({
    ...common,
    derive: runtime.deriveFor('way back'),
    checkWho,
    contextOf: runtime.contextFor('way_back'),
  });
  const addresses = addressChanges({
    ...common,
    recordPlatform,
    derive: runtime.deriveFor('address change'),
    contextOf: runtime.contextFor('address_change'),
  });
  return {
    waysBack: ways,
    addressChanges: addresses,
    /** One link in a mail objects to either. */
    object: async (...given: Parameters<typeof ways.object>): Promise<void> =>
      void ((await addresses.object(...given)) || (await ways.object(...given))),
  };
}
