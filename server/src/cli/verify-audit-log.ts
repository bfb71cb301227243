import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkHead, headsIn } from '../audit/index.ts';
import type { App } from '../app.ts';
import type { Secrets } from '../config.ts';
import { evidenceSignerFrom } from '../platform/evidence-signer.ts';
import { type Settings, withApp } from './with-app.ts';

/** Recomputes the chains of every business, or of the one that is named. */
export const verifyLogs = (settings: Settings, given: string[]): Promise<boolean> =>
  withApp(settings, (app) => verifyTrails(app, given, settings.secrets));

/**
 * Recomputes the chains: one line per business, and false where one does not hold. With a file of
 * log lines, each head that was said there is compared with what stands now; `--key` names a key of
 * before the last rotation.
 */
async function verifyTrails(
  app: App,
  given: string[],
  secrets: Pick<Secrets, 'masterKey' | 'previousMasterKey'>,
): Promise<boolean> {
  const { values, positionals } = parseArgs({
    args: given,
    allowPositionals: true,
    options: { heads: { type: 'string' }, key: { type: 'string', multiple: true } },
  });
  const own = [
    secrets.masterKey,
    ...(secrets.previousMasterKey ? [secrets.previousMasterKey] : []),
  ].map((key) => evidenceSignerFrom(key).fingerprint);
  const heads = values.heads ? headsIn(readFileSync(values.heads, 'utf8')) : [];
  let isWhole = true;
  for (const businessId of positionals[0] ? [positionals[0]] : await app.businessIds()) {
    const ctx = app.contextOf(businessId);
    const { sealed, unsealed, brokenAt } = await app.verifyAuditLog(ctx);
    const said = heads.filter((head) => head.business_id === businessId);
    const unfit = (
      await Promise.all(said.map((head) => checkHead(ctx, head, [...own, ...(values.key ?? [])])))
    ).filter((each) => each !== null);
    if (brokenAt || unfit.length > 0) isWhole = false;
    const tail = unsealed.length > 0 ? `, not sealed yet: ${unsealed.join(' ')}` : '';
    const outside = values.heads
      ? `, ${said.length - unfit.length} of ${said.length} heads fit`
      : '';
    console.info(
      `${businessId}: ${sealed} sealed, ${brokenAt ? `BROKEN at ${brokenAt}` : 'whole'}${outside}${tail}`,
    );
    for (const each of unfit) console.info(`  DOES NOT FIT: ${each}`);
  }
  return isWhole;
}
