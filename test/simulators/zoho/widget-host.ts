import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { type Listening, listen } from '../kit/server.ts';

export type WidgetHost = Listening;

const root = join(import.meta.dirname, '../../..');
const types: Record<string, string> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
  json: 'application/json',
};

/**
 * Serves the packed widget as Zoho does: static, from a random subdomain, under a content security
 * policy whose connect-src lists Zoho's own hosts and what the manifest asks for. Here the address
 * of the backend takes the place of the packaged one.
 */
/** `app`: another folder than the build's, for a package taken out of its zip. */
export async function startWidgetHost(options: {
  serverUrl: string;
  zohoUrl: string;
  port?: number;
  app?: string;
  onTaken?: (port: number) => void;
}): Promise<WidgetHost> {
  const app = options.app ?? join(root, 'app');
  if (!existsSync(join(app, 'widget.html')))
    throw new Error('the widget is not built: app/widget.html is missing');
  const sdk = `${options.zohoUrl}/zf_sdk.js`;
  const policy = [
    "default-src 'self'",
    `script-src 'self' ${options.zohoUrl}`,
    "style-src 'self' 'unsafe-inline' https://static.zohocdn.com",
    "img-src 'self' data: blob:",
    "font-src 'self' https://static.zohocdn.com",
    `connect-src 'self' https://*.zappsusercontent.com https://*.zohostatic.com https://*.sigmausercontent.com https://*.qntrlusercontent.com ${options.serverUrl}`,
    "frame-src 'self' blob:",
  ].join('; ');
  const listening = await listen((asked) => {
    const name = normalize(asked.path.replace(/^\/app\//, '/')).replace(/^\/+/, '');
    if (name === 'settings.js') {
      const settings = { server: options.serverUrl, hosts: [options.zohoUrl] };
      return {
        status: 200,
        type: 'text/javascript',
        body: `window.muhuri=${JSON.stringify(settings)};`,
        headers: { 'content-security-policy': policy, 'access-control-allow-origin': '*' },
      };
    }
    const file = join(app, name);
    const extension = name.split('.').at(-1) ?? '';
    if (!file.startsWith(app) || !types[extension] || !existsSync(file))
      return { status: 404, type: 'text/plain', body: 'Not found' };
    const body = readFileSync(file);
    const served =
      extension === 'html'
        ? Buffer.from(
            body
              .toString('utf8')
              .replace(/https:\/\/js\.zohostatic\.com\/zohofinance\/v1\/zf_sdk\.js/, sdk),
          )
        : body;
    return {
      status: 200,
      type: `${types[extension]}; charset=utf-8`,
      body: served,
      headers: {
        'content-security-policy': policy,
        'access-control-allow-origin': '*',
        'cache-control': 'no-store',
      },
    };
  }, options);
  const label = createHash('sha256').update(options.zohoUrl).digest('hex').slice(0, 16);
  return { ...listening, url: `http://w${label}.localhost:${listening.port}` };
}
