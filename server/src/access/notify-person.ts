import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import type { SendMail } from '../platform/mail.ts';
import { findPersonById } from './person.store.ts';

/** What happens to an account that its owner is mailed about, whoever did it. */
const sentences = {
  password_changed: 'The password of your account was changed.',
  password_reset:
    'A new password was set for your account, by a link that was mailed to this address.',
  email_changed: 'The e-mail address of your account was changed. This address is told no more.',
  email_change_asked:
    'Somebody asked to change the e-mail address of your account. The new one counts once it is confirmed by a link mailed there.',
  authenticator_set_up:
    'An authenticator was set up for your account, and recovery codes were made.',
  authenticator_removed:
    'The authenticator of your account was removed, with its recovery codes and remembered devices.',
  recovery_code_used: 'A recovery code of your account was used.',
  recovery_codes_made:
    'New recovery codes were made for your account; the former ones no longer work.',
  way_back_granted:
    'The second factor of your account was removed, so that you can sign in and set up another one.',
} as const;

type AccountEvent = keyof typeof sentences;

/**
 * Mails a person about a change, behind the response: an address that refuses mail must not undo
 * what was done. `formerAddress`: one that is no longer theirs, and is mailed instead.
 */
export type Notify = (personId: string, happened: AccountEvent, formerAddress?: string) => void;

export const notifyPerson =
  (ports: {
    database: Database;
    clock: Clock;
    sendMail: SendMail;
    log: Log;
    background(work: Promise<unknown>): void;
    publicUrl: string;
  }): Notify =>
  (personId, happened, formerAddress) => {
    const at = ports.clock.now().toISOString().replace('T', ' ').slice(0, 16);
    const mail = async () => {
      const person = await ports.database.platform((tx) => findPersonById(tx, personId));
      if (!person) return;
      await ports.sendMail({
        to: formerAddress ?? person.email,
        subject: 'A change to your Muhuri account',
        text: `${sentences[happened]}

Account: ${person.username}
Time: ${at} UTC

If it was you, do nothing. If it was not, set a new password now by "Forgot your password?" at ${ports.publicUrl}/settings, end the sessions you do not know, and tell an admin of your business.
`,
      });
    };
    ports.background(
      mail().catch((error: Error) =>
        ports.log.warn(
          { error: error.message, happened },
          'a person could not be told of a change to their account',
        ),
      ),
    );
  };
