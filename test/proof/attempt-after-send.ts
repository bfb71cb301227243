import { registerHooks } from 'node:module';
import { changes } from './attempt-after-send.changes.ts';

/*
 * The product, broken on purpose: an attempt is written after it was sent instead of before. Preloaded into a server process by the
 * negative control, which must fail by it. It ends with an error where the places it changes are not found.
 */
registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const change = changes.find(({ file }) => url.endsWith(`/${file}`));
    if (!change) return loaded;
    const source = String(loaded.source);
    if (!source.includes(change.from))
      throw new Error(`the negative control does not find what it breaks in ${url}`);
    return { ...loaded, source: source.replace(change.from, change.to) };
  },
});
