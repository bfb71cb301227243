export { accessTokens } from './access-token.ts';
export { endIfUnused } from './bind-organization.ts';
export { connectByCode } from './connect-by-code.ts';
export { claimPoll, endPoll } from './poll-state.store.ts';
export {
  type Connection,
  endEveryConnection,
  findConnection,
  insertConnection,
  readConnectionHealth,
} from './connection.store.ts';
export { consents } from './consent/consents.ts';
export { connectionStatus, disconnect } from './disconnect.ts';
export { insertGrant } from './grant.store.ts';
export { deleteOldCalls, readCallHealth } from './call.store.ts';
export { recordCalls } from './record-calls.ts';
export { signInClient } from './sign-in-client.ts';
export { watchGrantHealth } from './grant-health.ts';
export { readConnectionState, type ConnectionState } from './connection-state.ts';
