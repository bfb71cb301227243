export { SupportAccessEntity } from './support-access.entity.ts';
export { registration } from './registration.ts';
