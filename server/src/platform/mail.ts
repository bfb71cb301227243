import type { Transporter } from 'nodemailer';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { AppError } from './app-error.ts';

/** One message in plain text. Links in it are secrets: a mail is never logged. */
type Mail = { to: string; subject: string; text: string };

/**
 * Hands a message to a mail server; throws `mail_unavailable` where there is none or it refuses.
 */
export type SendMail = (mail: Mail) => Promise<void>;

/**
 * Mails to one address within an hour, whoever causes them; what causes them has narrower limits of
 * its own.
 */
const toOneAnHour = 100;

/** Mail by SMTP; without an address for a server nothing that needs mail can be begun. */
export function mailBy(
  url: string | null,
  from: string,
  perHour = toOneAnHour,
): { send: SendMail; close(): void } {
  if (!url)
    return {
      send: () => Promise.reject(new AppError('mail_unavailable')),
      close() {},
    };
  const recipients = new RateLimiterMemory({ points: perHour, duration: 3_600 });
  // Loaded with the first mail: most starts of a server send none for a while.
  let transport: Promise<Transporter> | undefined;
  const open = () => {
    transport ??= import('nodemailer').then(({ createTransport }) =>
      createTransport({
        url,
        connectionTimeout: 10_000,
        greetingTimeout: 10_000,
        socketTimeout: 20_000,
        disableFileAccess: true,
        disableUrlAccess: true,
      } as never),
    );
    return transport;
  };
  return {
    async send({ to, subject, text }) {
      await recipients.consume(to.toLowerCase()).catch(() => {
        throw new AppError('mail_unavailable', {}, 'too many mails to this address within an hour');
      });
      try {
        // A name in it that looks like an encoded word would be shown as what it encodes, whatever
        // that is.
        await (await open()).sendMail({ from, to, subject: subject.replaceAll('=?', '= ?'), text });
      } catch (error) {
        throw new AppError('mail_unavailable', {}, (error as Error).message);
      }
    },
    close: () => void transport?.then((opened) => opened.close()),
  };
}
