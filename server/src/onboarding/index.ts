export { addPerson } from './add-person.ts';
export { registerBusiness } from './register-business.ts';
export { activateAfterSetup, setBusinessStatus } from './set-status.ts';
export { inviteAdmin } from './invite-admin.ts';
export { setQuotas } from './set-quotas.ts';
export { correctTaxpayer, updateBusiness } from './update-business.ts';
export {
  getBusinessEntry,
  listBusinesses,
  readBusinessTrail,
  sumPlatform,
} from './operator-views.ts';
export { registerByOperator } from './register-by-operator.ts';
export { setup } from './setup/setup.ts';
export {
  beginSupport,
  duringSupport,
  endSupport,
  endWhatTheyOpened,
  listSupport,
} from './support-access.ts';
export { SupportAccessEntity } from './support-access.entity.ts';
export { rotateKeys } from './rotate-keys.ts';
export { listPeopleForOperator, setBlocked } from './people-of-business.ts';
