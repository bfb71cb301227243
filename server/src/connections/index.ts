export { type AccessToken, type AccessTokens, accessTokens } from './access-token.ts';
export { type Connection, findConnection, insertConnection } from './connection.store.ts';
export { insertGrant } from './grant.store.ts';
