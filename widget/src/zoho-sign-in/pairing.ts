import type { InputOf, OutputOf } from '@muhuri/shared/contract/endpoint';
import type {
  answerApproval,
  beginPairing,
  finishApproval,
  pollPairing,
  takePairing,
} from '@muhuri/shared/contract/zoho-sign-in.contract';
import { deviceToken } from '../second-factor/device.ts';

/** The shapes of the contract, as types only. */
export type Begun = OutputOf<typeof beginPairing>;
export type Polled = OutputOf<typeof pollPairing>;
export type Taken = OutputOf<typeof takePairing>;
export type Asked = OutputOf<typeof finishApproval>;
export type Answered = OutputOf<typeof answerApproval>;
export type Answer = InputOf<typeof answerApproval>;

const everyMs = 2_000;

type Call = <T>(method: string, path: string, body?: object) => Promise<T>;
type Session = NonNullable<Polled['session']>;

/**
 * A sign-in with Zoho seen from the panel: the code to show comes first, then what came of it.
 * Nothing listens for the window that was opened: a frame without pop-ups, cookies or storage works
 * alike.
 */
export async function pairWithZoho(
  call: Call,
  organizationId: string,
  show: (begun: Begun) => void,
  signal: AbortSignal,
): Promise<Session | Polled> {
  const begun = await call<Begun>('POST', '/auth/zoho/pairings', {
    organization_id: organizationId,
  });
  show(begun);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    if (signal.aborted) return { state: 'over', problem: null, session: null };
    // The connection may go and come back meanwhile; only the server says that it is over.
    const device = deviceToken(`zoho:${organizationId}`);
    const asked = {
      pairing_id: begun.pairing_id,
      poll_secret: begun.poll_secret,
      ...(device ? { device_token: device } : {}),
    };
    const polled = await call<Polled>('POST', '/auth/zoho/pairings/poll', asked).catch(
      (error: Error) => {
        if (error.name === 'Offline') return null;
        throw error;
      },
    );
    if (polled?.session) return polled.session;
    if (polled && (polled.state === 'refused' || polled.state === 'over')) return polled;
  }
}
