import type { Alerts } from '../alerts/index.ts';
import { type Recorder, whoDid } from '../audit/index.ts';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import type { SendMail } from '../platform/mail.ts';
import { ApiKeyEntity } from './api-key.entity.ts';
import { isInForce } from './api-keys.ts';
import { listMembers } from './membership.store.ts';
import { listPersons } from './person.store.ts';

/*
 * A key belongs to the business, and the person who made it has seen it: they may still hold it after
 * they have gone. So what becomes of it is decided and told, never left to be found out. Whoever ends
 * a membership or takes the role away says which keys go on, and the others end with it. While the
 * operator blocks a person, their keys open nothing (`readKey` checks), and open again afterwards.
 */

type Ports = { clock: Clock; record: Recorder; alerts: Pick<Alerts, 'raise' | 'resolve'> };
export type KeysOfPerson = { ended: ApiKeyEntity[]; kept: ApiKeyEntity[] };
/** Shows which key it is, and nothing that opens anything. */
const about = ({ name, prefix }: ApiKeyEntity) => ({ name, prefix });

export const listKeysMadeBy = (tx: Tx, personId: string, now: Date): Promise<ApiKeyEntity[]> =>
  tx.find(
    ApiKeyEntity,
    { createdBy: personId, ...isInForce(now) },
    { orderBy: { createdAt: 'asc', id: 'asc' } },
  );

/**
 * Ends the keys of a person who has to go, but for those that are kept. An alert names each kept key
 * until it is replaced.
 */
export async function endKeysOf(
  tx: Tx,
  ctx: Context,
  ports: Ports,
  person: { personId: string; name: string; because: string },
  keep: string[],
): Promise<KeysOfPerson> {
  const now = ports.clock.now();
  const made = await listKeysMadeBy(tx, person.personId, now);
  if (keep.some((id) => !made.some((each) => each.id === id)))
    throw new AppError('malformed', {
      field: 'keep_api_keys',
      reason: 'not a key of theirs in force',
    });
  const ended = made.filter((each) => !keep.includes(each.id));
  const kept = made.filter((each) => keep.includes(each.id));
  for (const each of ended) each.revokedAt = now;
  await tx.flush();
  for (const each of ended) {
    await ports.record(tx, ctx, {
      action: 'api_key.revoked',
      subject: each.id,
      before: about(each),
      after: { because: person.because },
    });
    await ports.alerts.resolve(tx, ctx, each.id, ['key_of_departed', 'key_suspended']);
  }
  for (const each of kept) {
    await ports.record(tx, ctx, {
      action: 'api_key.kept',
      subject: each.id,
      after: { ...about(each), because: person.because },
    });
    await ports.alerts.raise(tx, ctx, each.id, {
      code: 'key_of_departed',
      name: each.name,
      made_by: person.name,
    });
  }
  return { ended, kept };
}

/** Suspends the keys of a person whom the operator blocks, or restores them. */
export async function suspendKeysOf(
  tx: Tx,
  ctx: Context,
  ports: Ports,
  person: { personId: string; name: string },
  isBlocked: boolean,
): Promise<ApiKeyEntity[]> {
  const made = await listKeysMadeBy(tx, person.personId, ports.clock.now());
  for (const each of made) {
    await ports.record(tx, ctx, {
      action: isBlocked ? 'api_key.suspended' : 'api_key.restored',
      subject: each.id,
      after: about(each),
    });
    if (isBlocked)
      await ports.alerts.raise(tx, ctx, each.id, {
        code: 'key_suspended',
        name: each.name,
        made_by: person.name,
      });
    else await ports.alerts.resolve(tx, ctx, each.id, ['key_suspended']);
  }
  return made;
}

/**
 * The person who made a key, as the business sees them now; `unknown` if they never worked here.
 */
export type Maker = {
  id: string;
  name: string | null;
  standing: 'admin' | 'user' | 'blocked' | 'ended' | 'unknown';
};

export async function describeMakers(
  { database }: { database: Database },
  ctx: Context,
  ids: string[],
): Promise<Map<string, Maker>> {
  const members = await ctx.transaction(listMembers);
  const persons = await database.platform((tx) => listPersons(tx, [...new Set(ids)]));
  const makers = ids.map((id): [string, Maker] => {
    const member = members.find((each) => each.personId === id);
    const person = member && persons.find((each) => each.id === id);
    if (!member || !person) return [id, { id, name: null, standing: 'unknown' }];
    const standing = person.isBlocked
      ? 'blocked'
      : member.status === 'ended'
        ? 'ended'
        : member.role === 'business_admin'
          ? 'admin'
          : 'user';
    return [id, { id, name: person.name, standing }];
  });
  return new Map(makers);
}

/** Whoever made each of these, as the log has it; what it does not say is left out. */
export const findMakers =
  ({ database }: { database: Database }, action: string) =>
  async (ctx: Context, subjects: string[]): Promise<Map<string, Maker>> => {
    const who = await ctx.transaction((tx) => whoDid(tx, action, subjects));
    const makers = await describeMakers(
      { database },
      ctx,
      [...who.values()].map(({ id }) => id),
    );
    return new Map([...who].map(([subject, { id }]) => [subject, makers.get(id) as Maker]));
  };

type NotifyPorts = {
  database: Database;
  sendMail: SendMail;
  log: Log;
  background(work: Promise<unknown>): void;
  publicUrl: string;
};

type KeyList = { title: string; keys: ApiKeyEntity[] };

/**
 * Mails every admin who is not blocked, behind the response, what became of keys: a program that
 * stops must not be a riddle to those who look after it.
 */
export const notifyOfKeys =
  (ports: NotifyPorts) =>
  (ctx: Context, notice: { lead: string; lists: KeyList[] }): void => {
    if (notice.lists.every(({ keys }) => keys.length === 0)) return;
    const listed = ({ title, keys }: KeyList) =>
      keys.length === 0
        ? ''
        : `${title}\n${keys.map((each) => `- ${each.name} (${each.prefix}…)`).join('\n')}\n\n`;
    const mail = async () => {
      const { members, name } = await ctx.transaction(async (tx) => ({
        members: await listMembers(tx),
        name: (await getBusiness(tx)).name,
      }));
      const admins = members
        .filter((each) => each.status === 'active' && each.role === 'business_admin')
        .map((each) => each.personId);
      const text = `${notice.lead}\n\n${notice.lists.map(listed).join('')}The keys of ${name} are at ${ports.publicUrl}/settings, under "API keys".\n`;
      for (const person of await ports.database.platform((tx) => listPersons(tx, admins)))
        if (!person.isBlocked)
          await ports
            .sendMail({
              to: person.email,
              subject: `API keys of ${name}: please look at them`,
              text,
            })
            .catch((error: Error) =>
              ports.log.warn(
                { error: error.message },
                'an admin could not be told of the keys of somebody who has gone',
              ),
            );
    };
    ports.background(
      mail().catch((error: Error) =>
        ports.log.warn(
          { error: error.message },
          'nobody was told of the keys of somebody who has gone',
        ),
      ),
    );
  };
