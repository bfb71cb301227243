import { spawnSync } from 'node:child_process';
import { wrongWith } from './subject.ts';

/**
 * The subject of the newest commit, where there is a history to ask. Only `npm run verify` looks:
 * a checkout that somebody tests may have been committed by others in their own way.
 */
const { status, stdout } = spawnSync('git', ['log', '-1', '--no-merges', '--format=%s'], {
  encoding: 'utf8',
});
const subject = stdout.trim();
const wrong = status === 0 && subject ? wrongWith(subject) : null;
if (wrong) console.error(`The newest commit, “${subject}”, ${wrong}.`);
process.exit(wrong ? 1 : 0);
