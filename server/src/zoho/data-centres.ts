/**
 * Zoho's data centres (Zoho's multi-DC pages, Books API introduction). Accounts servers and API
 * hosts are taken only from here, or from what the operator adds: an answer or a callback that
 * names another host is not believed.
 */
const dataCentres = [
  { accounts: 'https://accounts.zoho.com', api: 'https://www.zohoapis.com' },
  { accounts: 'https://accounts.zoho.eu', api: 'https://www.zohoapis.eu' },
  { accounts: 'https://accounts.zoho.in', api: 'https://www.zohoapis.in' },
  { accounts: 'https://accounts.zoho.com.au', api: 'https://www.zohoapis.com.au' },
  { accounts: 'https://accounts.zoho.jp', api: 'https://www.zohoapis.jp' },
  { accounts: 'https://accounts.zohocloud.ca', api: 'https://www.zohoapis.ca' },
  { accounts: 'https://accounts.zoho.com.cn', api: 'https://www.zohoapis.com.cn' },
  { accounts: 'https://accounts.zoho.sa', api: 'https://www.zohoapis.sa' },
  { accounts: 'https://accounts.zoho.uk', api: 'https://www.zohoapis.uk' },
];

export const zohoHosts = (also: string[]) => {
  const accounts = new Set([...dataCentres.map((each) => each.accounts), ...also]);
  const api = new Set([...dataCentres.map((each) => each.api), ...also]);
  const keyOf = (accountsServer: string) =>
    accountsServer.replace(/^https:\/\/accounts\.zoho(cloud)?\./, '');
  return {
    keys: () => [...also, ...dataCentres.map((each) => keyOf(each.accounts))],
    /** By the end of its name; a host of the operator's own by its whole address. */
    find: (key: string) =>
      dataCentres.find((each) => keyOf(each.accounts) === key) ??
      (also.includes(key) ? { accounts: key, api: key } : null),
    apiOf: (accountsServer: string) =>
      dataCentres.find((each) => each.accounts === accountsServer)?.api ?? accountsServer,
    isAccounts: (url: string) => accounts.has(url),
    isApi: (url: string) => api.has(url),
  };
};
