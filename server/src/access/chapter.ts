import type { Alerts } from '../alerts/index.ts';
import type { OperatorLogRecorder, Recorder } from '../audit/index.ts';
import { chapter } from '../chapter.ts';
import type { Round } from '../platform/jobs.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { QrSvg } from '../ports/paper.ts';
import { acceptInvitation, readInvitation } from './accept-invitation.ts';
import { accountRoutes } from './account/account.routes.ts';
import { deleteOldCounted } from './counted-try.store.ts';
import { linkRoutes } from './link.routes.ts';
import { listMemberships } from './membership.store.ts';
import { openMembership } from './open-membership.ts';
import { openRecovery } from './open-recovery.ts';
import { openSignIn } from './open-sign-in.ts';
import { operatorRoutes } from './operator.routes.ts';
import { type EndWithOperator, operators } from './operators/operators.ts';
import { peopleRoutes } from './people.routes.ts';
import { secondFactorRoutes } from './second-factor/second-factor.routes.ts';
import { deleteOldDevices } from './second-factor/second-factor.store.ts';
import { sessionRoutes } from './sessions/session.routes.ts';
import { deleteExpiredSessions } from './sessions/session.store.ts';
import { signInRoutes } from './sign-in.routes.ts';
import { signIn, switchMembership } from './sign-in.ts';
import { deleteOldTries } from './sign-in-failure.store.ts';

type Needs = {
  record: Recorder;
  recordPlatform: OperatorLogRecorder;
  alerts: Alerts;
  paper: { qrSvg: QrSvg };
  /** What later chapters end together with an operator, in the same transaction. */
  endWithOperator(): EndWithOperator[];
};

const notifyingOfWaysBack: Round = { name: 'ways_back', everyMs: 60_000, actor: 'ways_back' };

/** Opens the chapter that knows who may: people, their sessions, keys and operators. */
export function openAccess(runtime: Runtime, needs: Needs) {
  const { database, clock, newId, sendMail, publicUrl } = runtime;
  const { record, recordPlatform } = needs;
  const signInParts = openSignIn(runtime);
  const { sessions, tries, factor, account, checkWho } = signInParts;
  const now = () => clock.now();
  const entering = { database, clock, newId, sessions, factor };
  const ofOperators = operators({
    ...entering,
    recordPlatform,
    tries,
    sendMail,
    publicUrl,
    endWith: async (...given) => {
      for (const end of needs.endWithOperator()) await end(...given);
    },
  });
  const { notifyAboutKeys, ...membership } = openMembership(runtime, needs);
  const recovery = openRecovery(runtime, needs, signInParts);
  const { waysBack, addressChanges } = recovery;

  return chapter({
    sessions,
    knowsDevice: factor.knows,
    commands: {
      /** A single-use link that makes the first operator; null once there is one. */
      firstOperatorLink: ofOperators.firstLink,
      /** A single-use link for another operator, where none can get in any more. */
      operatorLink: ofOperators.linkByCommand,
    },
    listPeople: membership.listPeople,
    notifyAboutKeys,
    waysBack,
    addressChanges,
    routes: [
      ...signInRoutes({
        signIn: signIn({ ...entering, checkWho }),
        switchMembership: switchMembership({ database, sessions }),
        signOut: sessions.end,
        listMemberships: (personId) => database.platform((tx) => listMemberships(tx, personId)),
        now,
      }),
      ...accountRoutes({ account, now }),
      ...secondFactorRoutes({ account, qrSvg: needs.paper.qrSvg, now }),
      ...sessionRoutes({ account }),
      ...linkRoutes({
        operators: ofOperators,
        waysBack: { ...waysBack, object: recovery.object },
        readInvitation: readInvitation({ database, clock }),
        acceptInvitation: acceptInvitation({ ...entering, record, checkWho }),
        now,
      }),
      ...peopleRoutes({ ...membership, waysBack }),
      ...operatorRoutes(ofOperators),
    ],
    jobs: [
      { round: notifyingOfWaysBack, name: 'ways_back', forBusiness: waysBack.notifyPending },
      { name: 'address_changes', everyMs: 60_000, run: addressChanges.mailDue },
    ],
    retention: [
      { what: 'sessions', keepDays: 0, scope: 'business', delete: deleteExpiredSessions },
      { what: 'tries to sign in', keepDays: 90, scope: 'reference', delete: deleteOldTries },
      { what: 'counted tries', keepDays: 2, scope: 'reference', delete: deleteOldCounted },
      { what: 'known devices', keepDays: 0, scope: 'reference', delete: deleteOldDevices },
    ],
  });
}
