import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

type Mail = { to: string[]; subject: string; text: string; at: string };

export type MailServer = {
  /** Where mail is handed in, and where a person reads it. */
  smtpUrl: string;
  url: string;
  mails(): Mail[];
  /** Refuses what comes next; with an address, what comes for that one. */
  refuse(yes: boolean, only?: string): void;
  /**
   * Is handed what comes next and says nothing about it until it is let go, as a slow server does;
   * `held` says how much waits.
   */
  hold(): { held(): number; letGo(): void };
  close(): Promise<void>;
};

/** A mail server that keeps what it gets instead of sending it on, with a page to read it. */
export async function startMail(port = 0): Promise<MailServer> {
  const kept: Mail[] = [];
  let isRefusing = false;
  let refused: string | undefined;
  let holding: { waiting: number; over: Promise<void> } | null = null;
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', async () => {
        if (holding) {
          holding.waiting++;
          await holding.over;
        }
        if (
          isRefusing &&
          (!refused || session.envelope.rcptTo.some((each) => each.address === refused))
        )
          return done(new Error('mailbox unavailable'));
        kept.push({
          ...read(Buffer.concat(parts).toString('utf8')),
          to: session.envelope.rcptTo.map((each) => each.address),
          at: new Date().toISOString(),
        });
        done();
      });
    },
  });
  smtp.on('error', () => {});
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', () => resolve()));
  const http = createServer((request, response) => {
    if (request.url === '/_sim/mails')
      return response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ mails: kept }));
    response.setHeader('content-type', 'text/html; charset=utf-8').end(page(kept));
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? http.listen(0, '127.0.0.1', () => resolve()) : reject(error),
    );
    http.listen(port, '127.0.0.1', () => resolve());
  });
  return {
    smtpUrl: `smtp://127.0.0.1:${(smtp.server.address() as AddressInfo).port}`,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    mails: () => [...kept],
    refuse(yes, only) {
      isRefusing = yes;
      refused = only;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      const mine = { waiting: 0, over: promise };
      holding = mine;
      return {
        held: () => mine.waiting,
        letGo() {
          holding = null;
          resolve();
        },
      };
    },
    async close() {
      await new Promise<void>((resolve) => smtp.close(() => resolve()));
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

/**
 * Headers and body of a plain message; quoted-printable undone, which is all that plain text needs.
 */
function read(raw: string): { subject: string; text: string } {
  const [head = '', ...rest] = raw.split('\r\n\r\n');
  const headers = head.replace(/\r\n[ \t]+/g, ' ');
  const subject = /^subject: (.*)$/im.exec(headers)?.[1] ?? '';
  const body = rest.join('\r\n\r\n');
  const isQuoted = /^content-transfer-encoding: quoted-printable/im.test(headers);
  const text = isQuoted
    ? Buffer.from(
        body
          .replace(/=\r\n/g, '')
          .replace(/=([0-9A-F]{2})/g, (_, hex: string) =>
            String.fromCharCode(Number.parseInt(hex, 16)),
          ),
        'latin1',
      ).toString('utf8')
    : body;
  return { subject, text: text.replaceAll('\r\n', '\n').trim() };
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const linked = (text: string) =>
  escaped(text).replace(/https?:\/\/\S+/g, (url) => `<a href="${url}">${url}</a>`);

const page = (
  mails: Mail[],
) => `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Outbox</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:760px;margin:2rem auto;padding:0 1rem}article{border:1px solid #d9dde3;border-radius:8px;padding:.8rem 1rem;margin:1rem 0}pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit}</style>
<h1>Outbox</h1>${mails.length === 0 ? '<p>No mail yet.</p>' : ''}${[...mails]
  .reverse()
  .map(
    (mail) =>
      `<article><strong>${escaped(mail.subject)}</strong><br>to ${escaped(mail.to.join(', '))}, ${mail.at}<pre>${linked(mail.text)}</pre></article>`,
  )
  .join('')}</html>`;
