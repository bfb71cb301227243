import { getBusiness } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import { hashOf } from '../credential.ts';
import { otherAdmins } from '../other-admins.ts';
import { findPersonById, type StoredPerson } from '../person.store.ts';
import { objectionSecret, type WayBackPorts } from './way-back-ports.ts';
import { listPendingWaysBack, markNotified, setObjection, type WayBack } from './way-back.store.ts';

/** What is being mailed at this moment is not mailed twice. */
const retryMs = 5 * 60_000;

type Admins = Awaited<ReturnType<typeof otherAdmins>>;

/**
 * Mails the person and every admin, blocked or not: an admin who cannot sign in can object still.
 * The time to object begins once all of them were mailed.
 */
export async function notifyAdmins(
  ports: WayBackPorts,
  ctx: Context,
  wayBack: WayBack,
): Promise<void> {
  const person = await ports.database.platform((tx) => findPersonById(tx, wayBack.personId));
  if (!person) return;
  const admins = await otherAdmins(ports, ctx, wayBack);
  const { name: businessName } = await ctx.transaction((tx) => getBusiness(tx));
  const link = `${ports.publicUrl}/settings#/object/way.${ctx.businessId}.${objectionSecret(ports, ctx.businessId, wayBack.id)}`;
  const text = mailText({ person, businessName, wayBack, admins, link });
  let unreached = 0;
  for (const address of recipients(person, admins))
    await ports
      .sendMail({ to: address, subject: `Somebody asks for a way back into ${businessName}`, text })
      .catch((error: Error) => {
        unreached++;
        ports.log.warn({ error: error.message }, 'an admin could not be told of a way back');
      });
  if (unreached === 0)
    await ctx.transaction((tx) => markNotified(tx, wayBack.id, ports.clock.now()));
}

/**
 * Chooses who is mailed. If nobody of the business decides but an operator does, everybody of the
 * business is mailed, and any of them may object.
 */
const recipients = (person: StoredPerson, { all, others, everybody }: Admins): Set<string> =>
  new Set([person.email, ...(others.length > 0 ? all : everybody).map((each) => each.email)]);

function whoDecides({ others, present }: Admins): string {
  if (present.length > 0) return 'Another admin can let them in at once, on the page People.';
  return others.length > 0
    ? 'Every other admin was kept out by an operator of the platform lately: one of them has to be let in again before anybody can decide.'
    : 'There is no other admin, so an operator of the platform may let them in once every admin had 24 hours to object.';
}

function mailText(mail: {
  person: StoredPerson;
  businessName: string;
  wayBack: WayBack;
  admins: Admins;
  link: string;
}): string {
  const { person, wayBack } = mail;
  return `${person.name} (${person.username}) has entered the right password for ${mail.businessName}, and says that authenticator and recovery codes are lost.
It was asked ${wayBack.address === null ? '' : `from ${wayBack.address} `}at ${wayBack.askedAt.toISOString().replace('T', ' ').slice(0, 16)} UTC.

${whoDecides(mail.admins)} Then the second factor is removed, and they sign in with their password alone.

If this is not right, object now, without signing in:

${mail.link}
`;
}

/** Mails again what was not mailed, because the mail server was away or the process ended. */
export const notifyPending =
  (ports: WayBackPorts) =>
  async (ctx: Context): Promise<void> => {
    const pending = await ctx.transaction((tx) => listPendingWaysBack(tx, ports.clock.now()));
    const before = ports.clock.now().getTime() - retryMs;
    for (const each of pending)
      if (!each.notifiedAt && each.askedAt.getTime() < before) {
        // The master key may be another one by now, and the link with it.
        const hash = hashOf(objectionSecret(ports, ctx.businessId, each.id));
        await ctx.transaction((tx) => setObjection(tx, each.id, hash));
        await notifyAdmins(ports, ctx, each);
      }
  };
