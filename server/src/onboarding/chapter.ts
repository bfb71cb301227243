import type { AddressChanges, WaysBack } from '../access/index.ts';
import type { OperatorLogRecorder } from '../audit/index.ts';
import type { ReadLogo } from '../businesses/index.ts';
import { chapter } from '../chapter.ts';
import type { Runtime } from '../platform/runtime.ts';
import { addPerson } from './add-person.ts';
import type { ManagePorts } from './update-business-and-directory.ts';
import { openOperator, type OperatorNeeds } from './open-operator.ts';
import { openOverview, openSettings, type OwnBusinessNeeds } from './open-own-business.ts';
import { readBusinessTrail, sumPlatform } from './operator-views.ts';
import { operatorRoutes } from './operator.routes.ts';
import { overviewRoutes } from './overview.routes.ts';
import { listPeopleForOperator, setBlocked } from './people-of-business.ts';
import { peopleOfBusinessRoutes } from './people-of-business.routes.ts';
import { registerBusiness } from './register-business.ts';
import { rotateKeys } from './rotate-keys.ts';
import { settingsRoutes } from './settings.routes.ts';
import { endWhatTheyOpened } from './support-access.ts';

type Needs = OperatorNeeds &
  OwnBusinessNeeds & {
    recordPlatform: OperatorLogRecorder;
    access: {
      waysBack: WaysBack;
      addressChanges: AddressChanges;
      notifyAboutKeys: Parameters<typeof setBlocked>[0]['notifyAboutKeys'];
    };
    businesses: { readLogo: ReadLogo };
  };

/** Opens the chapter by which a business comes to us, is set up and is looked after. */
export function openOnboarding(runtime: Runtime, needs: Needs) {
  const { database, vault, clock, newId, log, sendMail, publicUrl, background } = runtime;
  const { record, recordPlatform, alerts, access } = needs;
  const { readLogo } = needs.businesses;
  const managing: ManagePorts = {
    database,
    vault,
    accounts: needs.zoho.accounts,
    clock,
    newId,
    record,
    recordPlatform,
    sendMail,
    publicUrl,
  };
  const overseeing = {
    database,
    record,
    recordPlatform,
    clock,
    log,
    sendMail,
    background,
    alerts,
    notifyAboutKeys: access.notifyAboutKeys,
  };
  return chapter({
    commands: {
      registerBusiness: registerBusiness({ database, vault, clock, newId, record, readLogo }),
      addPerson: addPerson({ database, clock, newId, record }),
      /** Moves every data key to the present master key, and gives every business a new one. */
      rotateKeys: rotateKeys({
        database,
        vault,
        record,
        contextOf: runtime.contextFor('rotation'),
      }),
    },
    readBusinessTrail: readBusinessTrail({ database, clock, newId, record }),
    totals: sumPlatform({ database, clock }),
    endWithOperator: [
      endWhatTheyOpened({ clock, record, contextOf: runtime.contextFor('operator_ended') }),
    ],
    // `me` stands before `{id}`, so that it is never taken for one.
    routes: [
      ...settingsRoutes(openSettings(runtime, needs, managing)),
      ...overviewRoutes(openOverview(runtime, needs, managing)),
      ...operatorRoutes(openOperator(runtime, needs, managing)),
      ...peopleOfBusinessRoutes({
        listPeople: listPeopleForOperator(overseeing),
        setBlocked: setBlocked(overseeing),
        waysBack: access.waysBack,
        addressChanges: access.addressChanges,
      }),
    ],
  });
}
