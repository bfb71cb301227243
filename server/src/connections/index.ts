export { endIfUnused } from './bind-organization.ts';
export { claimPoll, endPoll } from './poll-state.store.ts';
export {
  type Connection,
  endEveryConnection,
  findConnection,
  insertConnection,
  readConnectionHealth,
} from './connection.store.ts';
export { insertGrant } from './grant.store.ts';
export { readCallHealth } from './call.store.ts';
export { type ConnectionState } from './connection-state.ts';
export { connectionView, type ConnectionViewPorts } from './connection-view.ts';
