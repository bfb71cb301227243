export { listActiveBusinessIds } from './directory.store.ts';
export { type AddPerson, addPerson, type RegisterBusiness, type Registration, registerBusiness, registration } from './register-business.ts';
