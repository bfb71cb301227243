import type { Runtime } from '../platform/runtime.ts';
import { accountOf } from './account/account.ts';
import { readKey } from './api-keys.ts';
import { notifyPerson } from './notify-person.ts';
import { openSecondFactor } from './second-factor/second-factor.ts';
import { openTotp } from './second-factor/totp.ts';
import { openSessions } from './sessions/sessions.ts';
import { verifyCredentials } from './sign-in.ts';
import { standingOfKey } from './api-key-status.ts';
import { openTries } from './tries.ts';

export type SignInParts = ReturnType<typeof openSignIn>;

/** Opens what signing in needs, and the account of whoever has signed in. */
export function openSignIn(runtime: Runtime) {
  const { database, clock, newId, log, vault, sendMail, publicUrl, background } = runtime;
  const sessions = openSessions({
    database,
    clock,
    readKey: readKey({ database, clock, standingOf: standingOfKey(database) }),
    log,
    derive: runtime.deriveFor('session renewal'),
  });
  const tries = openTries({ database, clock, newId });
  const notify = notifyPerson({ database, clock, sendMail, log, background, publicUrl });
  const totp = openTotp({ vault, clock });
  const factor = openSecondFactor({ database, clock, newId, totp, tries, notify });
  const account = accountOf({
    database,
    clock,
    newId,
    sessions,
    factor,
    tries,
    notify,
    derive: runtime.deriveFor('password reset'),
    sendMail,
    background,
    publicUrl,
    log,
  });
  const checkWho = verifyCredentials({ database, clock, newId });
  return { sessions, tries, notify, factor, account, checkWho };
}
