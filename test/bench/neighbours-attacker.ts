import { randomBytes } from 'node:crypto';
import { dearPng, hostilePngs } from '@muhuri/server/platform/reencode-image.samples';
import { Agent, request } from 'undici';

export type Attack = 'logos' | 'names' | 'drips' | 'exports' | 'tokens' | 'bodies';
export type Told = {
  url: string;
  token: string;
  attack: Attack;
  businessId: string;
  notices: string[];
};

/**
 * What one person may ask in a minute, as a pace; bodies come as fast as a line of 160 Mbit/s
 * brings them.
 */
const perSecond: Record<Attack, number> = {
  logos: 50,
  names: 50,
  drips: 50,
  exports: 50,
  tokens: 50,
  bodies: 10,
};
/** As many calls under way as a program would keep. */
const underWayMax = 16;

const { url, token, attack, businessId, notices } = JSON.parse(process.argv[2] as string) as Told;
// From an address of its own: what is counted by address is not the measured business's.
const dispatcher = new Agent({ connect: { localAddress: '127.0.0.2' } });
const answers = new Map<string, number>();

const call = async (
  method: 'GET' | 'POST',
  path: string,
  body?: string | Buffer,
  bearer = token,
): Promise<void> => {
  const said = await request(`${url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body }),
    dispatcher,
  })
    .then(async (answer) => {
      // Whole: what is only begun costs less than what is asked for.
      for await (const _part of answer.body);
      return String(answer.statusCode);
    })
    .catch(() => 'closed');
  answers.set(said, (answers.get(said) ?? 0) + 1);
};

const logos = [...Object.values(hostilePngs), dearPng()].map((file) =>
  JSON.stringify({ branding: { logo: `data:image/png;base64,${file.toString('base64')}` } }),
);
const large = Buffer.alloc(2 << 20, 'a');
const madeUp = () => `${businessId}.${randomBytes(32).toString('base64url')}`;
const calls: Record<Attack, (nth: number) => Promise<void>> = {
  logos: (nth) => call('POST', '/businesses/me/branding/preview', logos[nth % logos.length]),
  names: () => call('POST', '/businesses/me/test-vsdc', '{}'),
  // A message that failed is sent again.
  drips: (nth) => call('POST', `/notices/${notices[nth % notices.length]}/replay`, '{}'),
  exports: () => call('GET', '/trail.csv'),
  tokens: () => call('GET', '/auth/me', undefined, madeUp()),
  bodies: (nth) =>
    call('POST', nth % 2 ? `/webhooks/zoho/${businessId}.${'a'.repeat(32)}` : '/auth/login', large),
};

let isGoing = false;
let underWay = 0;
let nth = 0;
setInterval(() => {
  if (!isGoing || underWay >= underWayMax) return;
  underWay += 1;
  void calls[attack](nth++).finally(() => (underWay -= 1));
}, 1_000 / perSecond[attack]);

process.on('message', (word: string) => {
  if (word === 'go') {
    isGoing = true;
    const before = nth;
    // What is measured beside it begins once it is under way.
    const look = setInterval(() => {
      if (nth - before < perSecond[attack] / 10) return;
      clearInterval(look);
      process.send?.('gone');
    }, 20);
  }
  if (word === 'stop') {
    isGoing = false;
    const look = setInterval(() => {
      if (underWay > 0) return;
      clearInterval(look);
      process.send?.('stopped');
    }, 20);
  }
  if (word === 'end')
    process.send?.([...answers].map(([status, count]) => `${count} × ${status}`).join(', '));
});
process.send?.('ready');
