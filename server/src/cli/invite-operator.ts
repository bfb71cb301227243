import { type Settings, withApp } from './with-app.ts';

/** Prints a link by which the person of this address becomes an operator. */
export async function inviteOperator(settings: Settings, email = ''): Promise<void> {
  if (!/^\S+@\S+$/.test(email))
    throw new Error(
      'Name the e-mail address of the new operator: pnpm operator:invite somebody@example.com',
    );
  await withApp(
    settings,
    async (app) => {
      // On the console and not by mail: whoever may run this holds the server.
      console.info(`Within 24 hours, once:\n  ${await app.operatorLink(email.toLowerCase())}`);
    },
    { sweepMs: 3_600_000 },
  );
}
