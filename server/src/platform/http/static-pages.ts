import { readFileSync } from 'node:fs';
import type { Hono } from 'hono';

/** Where the widget's build lies. The same files are packed for Zoho Books. */
const built = new URL('../../../../app/', import.meta.url);

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  // A training receipt is shown from a blob of the page's own.
  'frame-src blob:',
  "frame-ancestors 'none'",
  "form-action 'none'",
  "base-uri 'none'",
].join('; ');

const files: Record<string, [name: string, type: string]> = {
  '/settings': ['pages.html', 'text/html; charset=utf-8'],
  '/console': ['pages.html', 'text/html; charset=utf-8'],
  '/pages.js': ['pages.js', 'text/javascript; charset=utf-8'],
  '/pages.css': ['pages.css', 'text/css; charset=utf-8'],
  '/img/logo.svg': ['img/logo.svg', 'image/svg+xml'],
};

/**
 * For a page that the panel opens in a window of its own: Zoho's frame is sandboxed, its windows
 * with it, and a browser shows nothing there that wants to be apart from its opener. They are
 * opened without one.
 */
export const openedFromPanel = { 'cross-origin-opener-policy': 'unsafe-none' };

/**
 * Our own pages: settings for business admins, the console for the operator. They hold no data;
 * everything comes by the API.
 */
export function servePages(http: Hono): void {
  for (const [path, [name, type]] of Object.entries(files))
    http.get(path, (c) => {
      const headers = {
        'content-security-policy': policy,
        'cache-control': 'no-cache',
        ...(path === '/settings' ? openedFromPanel : {}),
      };
      try {
        return c.body(readFileSync(new URL(name, built)), 200, {
          'content-type': type,
          ...headers,
        });
      } catch {
        return c.text('The pages are not built yet: pnpm build:widget', 503, headers);
      }
    });
  // Packed for Zoho the pages are told where the server is; from here it is this one.
  http.get('/settings.js', (c) =>
    c.body('window.muhuri={server:"",hosts:[]};\n', 200, {
      'content-type': 'text/javascript; charset=utf-8',
    }),
  );
  http.get('/', (c) => c.redirect('/settings'));
  http.get('/branches', (c) => c.redirect('/settings#/branches'));
}
