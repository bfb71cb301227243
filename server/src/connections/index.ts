export { type AccessToken, type AccessTokens, accessTokens } from './access-token.ts';
export { type Connection, endEveryConnection, findConnection, insertConnection } from './connection.store.ts';
export { insertGrant } from './grant.store.ts';
export { connectByCode, eraseIfUnused, readZohoState, type ZohoState } from './connect-by-code.ts';
