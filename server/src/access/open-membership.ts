import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import type { Runtime } from '../platform/runtime.ts';
import { createKey, listKeys, revokeKey } from './api-keys.ts';
import { listInvitations, withdrawInvitation } from './invitations.ts';
import { invite } from './invite.ts';
import { describeMakers, notifyOfKeys } from './keys-of-person.ts';
import { changeMember, endMember, listPeople } from './people.ts';

/** Opens who works for a business, who is asked to, and which programs may. */
export function openMembership(runtime: Runtime, needs: { record: Recorder; alerts: Alerts }) {
  const { database, clock, newId, log, sendMail, publicUrl, background } = runtime;
  const { record, alerts } = needs;
  const notifyAboutKeys = notifyOfKeys({ database, sendMail, log, background, publicUrl });
  const inviting = { clock, newId, record, sendMail, publicUrl };
  const changing = { database, clock, record, alerts, notifyAboutKeys };
  return {
    notifyAboutKeys,
    listPeople: listPeople({ database }),
    changeMember: changeMember(changing),
    endMember: endMember(changing),
    listInvitations: listInvitations({ clock }),
    invite: invite(inviting),
    withdrawInvitation: withdrawInvitation(inviting),
    listKeys: listKeys({ clock }),
    createKey: createKey(inviting),
    revokeKey: revokeKey({ clock, record, alerts }),
    makersOf: (ctx: Parameters<typeof describeMakers>[1], ids: string[]) =>
      describeMakers({ database }, ctx, ids),
    now: () => clock.now(),
  };
}
