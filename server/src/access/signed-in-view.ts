import { toSessionView } from './sessions/session-view.ts';
import type { SignedIn } from './sign-in.ts';

/** Shows a session that has just begun, with its tokens. */
export const signedInView = ({ token, session, deviceToken }: SignedIn, now: Date) => ({
  token,
  ...(deviceToken ? { device_token: deviceToken } : {}),
  ...toSessionView(session, now),
});
