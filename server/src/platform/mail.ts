import { createTransport } from 'nodemailer';
import { AppError } from './app-error.ts';

/** One message in plain text. Links in it are secrets: a mail is never logged. */
export type Mail = { to: string; subject: string; text: string };

/** Hands a message to a mail server; throws `mail_unavailable` where there is none or it refuses. */
export type SendMail = (mail: Mail) => Promise<void>;

/** Mail by SMTP; without an address for a server nothing that needs mail can be begun. */
export function mailBy(url: string | null, from: string): { send: SendMail; close(): void } {
  if (!url)
    return {
      send: () => Promise.reject(new AppError('mail_unavailable')),
      close() {},
    };
  const transport = createTransport({
    url,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, subject, text }) {
      try {
        await transport.sendMail({ from, to, subject, text });
      } catch (error) {
        throw new AppError('mail_unavailable', {}, (error as Error).message);
      }
    },
    close: () => transport.close(),
  };
}
