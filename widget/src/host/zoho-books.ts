import type { ChosenInvoice, DocumentRef, Host } from './host.ts';

/*
 * The only file that knows Zoho's SDK: a script that defines ZFAPPS (there is no package of it). It has no time-out of its own, its
 * rejections are plain texts or objects, and what it tells is unsigned.
 */
type App = {
  instance: { on(name: string, run: () => unknown): void };
  meta?: { inheritStyles?: Record<string, string>; zfFontSrc?: string };
};
type Zfapps = {
  extension: { init(): Promise<App> };
  get(key: string): Promise<Record<string, unknown>>;
  invoke(name: string, property?: unknown, value?: unknown): Promise<unknown>;
};
declare global {
  interface Window {
    ZFAPPS?: Zfapps;
  }
}

const timeoutMs = 8_000;
const books =
  /^https:\/\/(?:books|inventory)\.(?:zoho\.(?:com|eu|in|com\.au|jp|sa|uk|com\.cn)|zohocloud\.ca)$/;
// Not every page tells that its document changed, so the panel looks itself while it is seen.
const lookMs = 1_500;

/**
 * Whether the page around us is Zoho Books: by the origin it names and, where the browser tells, by
 * the one it has.
 */
export function isFramedByBooks(hostsAlso: string[]): boolean {
  if (window.parent === window) return false;
  const named = decodeURIComponent(/[?&]serviceOrigin=([^&#]*)/.exec(location.search)?.[1] ?? '');
  const isKnown = (origin: string) => books.test(origin) || hostsAlso.includes(origin);
  const ancestor = location.ancestorOrigins?.[0];
  return isKnown(named) && (ancestor === undefined || isKnown(ancestor));
}

/**
 * Binds to Zoho's script. Must begin while the page loads: the host registers us once, and only a
 * listener that exists hears it.
 */
export function connectZohoBooks(): Promise<Host> {
  const sdk = window.ZFAPPS;
  if (!sdk) return Promise.reject(new Error('the SDK of Zoho is missing'));
  return within(sdk.extension.init()).then((app) => {
    let run: () => void = () => {};
    for (const name of ['ON_INVOICE_CHANGE', 'ON_CREDITNOTE_CHANGE', 'ON_CHANGE']) {
      try {
        app.instance.on(name, () => run());
      } catch {
        // A page without that event: looking now and then finds the change too.
      }
    }
    return {
      organizationId: async () => text(await ask(sdk, 'organization'), 'organization_id'),
      openDocument: () => openDocument(sdk),
      chosenInvoices: () => chosenInvoices(sdk),
      resize: (width, height) =>
        void within(sdk.invoke('RESIZE', { width: `${width}px`, height: `${height}px` })).catch(
          () => {},
        ),
      onChange(then) {
        run = then;
        setInterval(() => document.visibilityState === 'visible' && then(), lookMs);
        window.addEventListener('focus', then);
      },
      notify: (type, message) =>
        void within(sdk.invoke('SHOW_NOTIFICATION', { type, message })).catch(() => {}),
      refresh: (module) =>
        void within(
          sdk.invoke('REFRESH_DATA', module === 'invoices' ? 'invoice' : 'creditnote'),
        ).catch(() => {}),
    };
  });
}

async function openDocument(sdk: Zfapps): Promise<DocumentRef | null> {
  for (const [key, module] of [
    ['creditnote', 'creditnotes'],
    ['invoice', 'invoices'],
  ] as const) {
    const entity = await ask(sdk, key).catch(() => null);
    const id = entity && text(entity, `${key}_id`);
    if (id) return { module, id, number: text(entity, `${key}_number`) };
  }
  return null;
}

/**
 * Zoho writes down that a bulk action has a place, not how it names what was chosen. Where a list
 * is in context elsewhere it goes by the plural (`contacts`), so that is asked first; whatever
 * comes, only ids and numbers are taken from it, and none is no answer.
 */
async function chosenInvoices(sdk: Zfapps): Promise<ChosenInvoice[] | null> {
  for (const key of ['invoices', 'invoice']) {
    const answer = await within(sdk.get(key)).catch(() => null);
    const found = answer?.[key];
    const chosen = (Array.isArray(found) ? found : [])
      .map((each: unknown) =>
        typeof each === 'object' && each !== null
          ? {
              id: text(each as Record<string, unknown>, 'invoice_id'),
              number: text(each as Record<string, unknown>, 'invoice_number'),
            }
          : { id: String(each), number: '' },
      )
      .filter(({ id }) => /^\d{1,25}$/.test(id));
    if (chosen.length > 0)
      return [...new Map(chosen.map((each) => [each.id, each])).values()].slice(0, 200);
  }
  return null;
}

/** The answer is keyed by the question: `get('invoice')` gives `{invoice: {…}}`. */
async function ask(sdk: Zfapps, key: string): Promise<Record<string, unknown>> {
  const answer = await within(sdk.get(key));
  const entity = answer?.[key];
  if (typeof entity !== 'object' || entity === null) throw new Error(`no ${key} here`);
  return entity as Record<string, unknown>;
}

const text = (entity: Record<string, unknown>, key: string): string =>
  typeof entity[key] === 'string' || typeof entity[key] === 'number' ? String(entity[key]) : '';

function within<T>(promise: Promise<T>): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) =>
      setTimeout(() => reject(new Error('the page did not answer')), timeoutMs),
    ),
  ]);
}
