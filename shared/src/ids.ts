/** What each prefix names. An id says what it is for in a log, a support mail and a failed test. */
export const idPrefixes = {
  address_change: 'adc',
  alert: 'alr',
  api_key: 'key',
  attempt: 'att',
  audit: 'aud',
  branch: 'brn',
  business: 'biz',
  connection: 'con',
  consent: 'cns',
  counted_try: 'cnt',
  delivery: 'dlv',
  device: 'dev',
  grant: 'grt',
  hook: 'hok',
  invitation: 'inv',
  item: 'itm',
  membership: 'mem',
  miss: 'mis',
  notice: 'ntc',
  pairing: 'prg',
  person: 'per',
  print: 'prn',
  receipt: 'rcp',
  remembered_device: 'rdv',
  sign_in: 'sgn',
  subscriber: 'sub',
  support_access: 'sup',
  wall_attempt: 'wat',
  way_back: 'wbk',
  zoho_call: 'zcl',
} as const;

export type IdKind = keyof typeof idPrefixes;
export type Id<K extends IdKind> = `${(typeof idPrefixes)[K]}_${string}`;

/** Whether the text has the shape of that kind of id; it says nothing about existence. */
export const isId = <K extends IdKind>(kind: K, text: string): text is Id<K> =>
  new RegExp(`^${idPrefixes[kind]}_[0-9a-z]{8,40}$`).test(text);
