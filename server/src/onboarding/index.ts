export { SupportAccessEntity } from './support-access.entity.ts';
export { registrationUnder } from './registration.ts';
