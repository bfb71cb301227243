import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answered, type Asked, jsonAnswer, keptState, type Listening, listen } from '../kit/server.ts';
import type { Stored } from './documents.ts';
import { type Seeded, type SeededDocument, seed } from './seed.ts';

type OrganizationState = {
  seeded: Seeded;
  payments: Record<string, Stored[]>;
  comments: Record<string, Stored[]>;
  attachments: Record<string, { file_name: string; size: number }[]>;
};
type Token = { token: string; refreshToken: string; until: number };
type State = {
  organizations: OrganizationState[];
  tokens: Token[];
  tokenTimes: Record<string, number[]>;
  deadRefreshTokens: string[];
  faults: { next: string[]; organization_id?: string | undefined }[];
  calls: { organization_id: string; path: string; at: number }[];
  /** Codes of the API console: three minutes, once. */
  codes?: { code: string; organization_id: string; until: number }[];
};

export type Zoho = Listening & {
  documents(): (SeededDocument & { organization_id: string })[];
  grants(): { organization_id: string; refreshToken: string; clientId: string; clientSecret: string }[];
  document(module: 'invoices' | 'creditnotes', id: string): Stored;
  change(module: 'invoices' | 'creditnotes', id: string, patch: Stored | null): void;
  /** What the API console's self client shows: a client and a fresh code. */
  selfClient(organizationId: string): { code: string; client_id: string; client_secret: string };
  add(module: 'invoices' | 'creditnotes', organizationId: string, document: Stored): void;
  organization(id: string): Seeded['organization'];
  /** Scripts the next API answers: `html`, `unauthorized`, `expired_token`, `limit`, `error`, `slow`, `wrong_document`. */
  faults(next: string[], organizationId?: string): void;
  killGrant(refreshToken: string): void;
  reset(): void;
};

const perMinuteMax = 100;
const windowMs = 10 * 60_000;

/**
 * Zoho's accounts server and Books API for two invented organizations, and a page that looks and behaves like Zoho Books. Written from
 * Zoho's documents and recorded answers; it shares nothing with the product.
 */
export async function startZoho(options: {
  today: string;
  stateFile?: string | null;
  port?: number;
  onTaken?: (port: number) => void;
  widgetUrl?: () => string;
  perMinuteMax?: number;
}): Promise<Zoho> {
  const fresh = (): State => ({
    organizations: seed(options.today).map((seeded) => ({ seeded, payments: paymentsOf(seeded), comments: {}, attachments: {} })),
    tokens: [],
    tokenTimes: {},
    deadRefreshTokens: [],
    faults: [],
    calls: [],
  });
  const state = keptState(options.stateFile ?? null, fresh);
  state.save();
  const limit = options.perMinuteMax ?? perMinuteMax;
  const organizationOf = (id: string | null) => state.value.organizations.find((each) => each.seeded.organization.organization_id === id);
  const listOf = (organization: OrganizationState, module: string): Stored[] =>
    module === 'invoices' ? organization.seeded.invoices : organization.seeded.creditnotes;
  const idKey = (module: string) => (module === 'invoices' ? 'invoice_id' : 'creditnote_id');

  const handle = async (asked: Asked): Promise<Answered | null> => {
    if (asked.path === '/oauth/v2/token') return token(asked);
    if (asked.path.startsWith('/books/v3')) return api(asked, asked.path.slice('/books/v3'.length));
    if (asked.path.startsWith('/_sim')) return control(asked);
    return page(asked);
  };

  function token(asked: Asked): Answered {
    const given = new URLSearchParams(asked.body || asked.query);
    if (given.get('grant_type') === 'authorization_code') return exchange(given);
    const refreshToken = given.get('refresh_token') ?? '';
    const organization = state.value.organizations.find((each) => each.seeded.refreshToken === refreshToken);
    if (!organization || state.value.deadRefreshTokens.includes(refreshToken)) return jsonAnswer(200, { error: 'invalid_code' });
    if (given.get('client_id') !== organization.seeded.clientId) return jsonAnswer(200, { error: 'invalid_client' });
    if (given.get('client_secret') !== organization.seeded.clientSecret) return jsonAnswer(200, { error: 'invalid_client_secret' });
    const recent = (state.value.tokenTimes[refreshToken] ?? []).filter((at) => Date.now() - at < windowMs);
    if (recent.length >= 10)
      return jsonAnswer(400, {
        error: 'Access Denied',
        error_description: 'You have made too many requests continuously. Please try again after some time.',
        status: 'failure',
      });
    state.value.tokenTimes[refreshToken] = [...recent, Date.now()];
    const made = { token: `1000.${randomBytes(16).toString('hex')}`, refreshToken, until: Date.now() + 3_600_000 };
    state.value.tokens = [...state.value.tokens.filter((each) => each.until > Date.now()).slice(-15), made];
    state.save();
    return jsonAnswer(200, { access_token: made.token, api_domain: `http://127.0.0.1:${listening.port}`, token_type: 'Bearer', expires_in: 3600 });
  }

  /** Errors come with 200, as the real one's do; a code works once. */
  function exchange(given: URLSearchParams): Answered {
    const found = state.value.codes?.find((each) => each.code === given.get('code') && each.until > Date.now());
    const organization = organizationOf(found?.organization_id ?? null);
    if (!found || !organization) return jsonAnswer(200, { error: 'invalid_code' });
    if (given.get('client_id') !== organization.seeded.clientId) return jsonAnswer(200, { error: 'invalid_client' });
    if (given.get('client_secret') !== organization.seeded.clientSecret) return jsonAnswer(200, { error: 'invalid_client_secret' });
    state.value.codes = state.value.codes?.filter((each) => each !== found) ?? [];
    const { refreshToken } = organization.seeded;
    state.value.deadRefreshTokens = state.value.deadRefreshTokens.filter((each) => each !== refreshToken);
    const made = { token: `1000.${randomBytes(16).toString('hex')}`, refreshToken, until: Date.now() + 3_600_000 };
    state.value.tokens = [...state.value.tokens.filter((each) => each.until > Date.now()).slice(-15), made];
    state.save();
    return jsonAnswer(200, {
      access_token: made.token,
      refresh_token: refreshToken,
      scope: 'ZohoBooks.invoices.READ ZohoBooks.creditnotes.READ ZohoBooks.contacts.READ ZohoBooks.settings.READ',
      api_domain: `http://127.0.0.1:${listening.port}`,
      token_type: 'Bearer',
      expires_in: 3600,
    });
  }

  function selfClient(organizationId: string): { code: string; client_id: string; client_secret: string } {
    const organization = organizationOf(organizationId);
    if (!organization) throw new Error(`no organization ${organizationId}`);
    const code = `1000.${randomBytes(20).toString('hex')}`;
    state.value.codes = [
      ...(state.value.codes ?? []).filter((each) => each.until > Date.now()),
      { code, organization_id: organizationId, until: Date.now() + 180_000 },
    ];
    state.save();
    return { code, client_id: organization.seeded.clientId, client_secret: organization.seeded.clientSecret };
  }

  async function api(asked: Asked, path: string): Promise<Answered> {
    const organizationId = asked.query.get('organization_id');
    const bearer = /^(?:Zoho-oauthtoken|Bearer) (.+)$/.exec(String(asked.headers.authorization ?? ''))?.[1];
    const owned = state.value.tokens.find(
      (each) => each.token === bearer && each.until > Date.now() && !state.value.deadRefreshTokens.includes(each.refreshToken),
    );
    if (!owned) return jsonAnswer(401, { code: 14, message: 'Invalid value passed for authtoken.' });
    const mine = state.value.organizations.filter((each) => each.seeded.refreshToken === owned.refreshToken);
    if (path === '/organizations') return success({ organizations: mine.map((each) => organizationView(each, false)) });
    const organization = organizationOf(organizationId);
    if (!organization || !mine.includes(organization))
      return jsonAnswer(400, { code: 6041, message: 'This user is not associated with the CompanyID/CompanyName: .' });
    const minute = state.value.calls.filter((call) => call.organization_id === organizationId && Date.now() - call.at < 60_000);
    state.value.calls = [
      ...state.value.calls.filter((call) => Date.now() - call.at < 60_000),
      { organization_id: organizationId as string, path, at: Date.now() },
    ];
    const quota = { 'x-rate-limit-limit': '10000', 'x-rate-limit-remaining': '9000', 'x-rate-limit-reset': '40000' };
    if (minute.length >= limit)
      return jsonAnswer(
        429,
        { code: 44, message: 'For security reasons, you have been blocked for some time as you have exceeded the maximum number of requests per minute.' },
        quota,
      );
    const fault = nextFault(organizationId as string);
    if (fault === 'html') return { status: 502, type: 'text/html', body: '<html><body>Zoho is under maintenance</body></html>', headers: quota };
    if (fault === 'unauthorized') return jsonAnswer(401, { code: 57, message: 'You are not authorized to perform this operation' }, quota);
    if (fault === 'limit') return jsonAnswer(429, { code: 44, message: 'Too many requests' }, { ...quota, 'retry-after': '30' });
    if (fault === 'error') return jsonAnswer(500, { code: 1000, message: 'Internal error' }, quota);
    if (fault === 'expired_token') {
      state.value.tokens = [];
      return jsonAnswer(401, { code: 14, message: 'Invalid value passed for authtoken.' }, quota);
    }
    if (fault === 'slow') await pause(20_000, undefined, { ref: false });
    const answered = resource(organization, asked, path, fault === 'wrong_document');
    return { ...answered, headers: { ...answered.headers, ...quota } };
  }

  function resource(organization: OrganizationState, asked: Asked, path: string, isWrongDocument: boolean): Answered {
    const { seeded } = organization;
    const match = /^\/(invoices|creditnotes)(?:\/(\d+)(?:\/(\w+)(?:\/(\w+))?)?)?$/.exec(path);
    if (match) {
      const [, module = '', id, sub, action] = match;
      if (!id) return documentList(listOf(organization, module), module, asked);
      const found = listOf(organization, module).find((each) => each[idKey(module)] === id);
      if (!found) return jsonAnswer(404, { code: 1002, message: `${module === 'invoices' ? 'Invoice' : 'Credit Note'} does not exist.` });
      if (!sub && asked.method === 'GET') {
        const shown = isWrongDocument ? listOf(organization, module).find((each) => each !== found) : found;
        return success({
          [module === 'invoices' ? 'invoice' : 'creditnote']: {
            ...shown,
            [`${module === 'invoices' ? 'invoice' : 'creditnote'}_url`]: `https://example.invalid/${randomBytes(4).toString('hex')}`,
          },
        });
      }
      if (!sub && asked.method === 'DELETE') {
        remove(organization, module, id);
        return success({}, module === 'invoices' ? 'The invoice has been deleted.' : 'The credit note has been deleted.');
      }
      if (sub === 'payments') return success({ payments: organization.payments[id] ?? [] });
      if (sub === 'creditsapplied') return success({ credits: [] });
      if (sub === 'invoices' && module === 'creditnotes') return success({ invoices_credited: found.invoices });
      if (sub === 'comments') return comments(organization, id, asked);
      if (sub === 'attachment') return attachment(organization, id, asked);
      if (sub === 'status' && asked.method === 'POST') return status(found, module, action ?? '');
      return jsonAnswer(404, { code: 5, message: 'Invalid URL Passed' });
    }
    const custom = /^\/(invoice|creditnote)\/(\d+)\/customfields$/.exec(path);
    if (custom && asked.method === 'PUT') return customFields(organization, custom[1] === 'invoice' ? 'invoices' : 'creditnotes', custom[2] as string, asked);
    const contact = /^\/contacts(?:\/(\d+))?$/.exec(path);
    if (contact) {
      if (!contact[1])
        return paged(
          'contacts',
          seeded.organization.contacts.map((each) => ({
            contact_id: each.contact_id,
            contact_name: each.contact_name,
            status: 'active',
            contact_type: 'customer',
            email: each.email,
            mobile: each.mobile,
          })),
          asked,
        );
      const one = seeded.organization.contacts.find((each) => each.contact_id === contact[1]);
      return one
        ? success({
            contact: {
              ...one,
              contact_type: 'customer',
              status: 'active',
              phone: '',
              owner_id: '',
              contact_persons: [],
              custom_fields: one.cf_custtin ? [{ api_name: 'cf_custtin', value: one.cf_custtin }] : [],
            },
          })
        : jsonAnswer(404, { code: 1002, message: 'Contact does not exist.' });
    }
    if (path === '/items')
      return paged(
        'items',
        seeded.organization.items.map((each) => ({ ...each, status: 'active', item_type: 'sales' })),
        asked,
      );
    if (path === '/settings/taxes')
      return paged(
        'taxes',
        seeded.organization.taxes.map(({ parts: _parts, ...each }) => ({ ...each, is_value_added: true, is_default_tax: false, is_editable: true })),
        asked,
      );
    if (path === '/locations') return paged('locations', seeded.organization.locations, asked);
    if (path === '/users/me') return success({ user: { user_id: '1', name: 'Demo', status: 'active', user_role: 'admin' } });
    if (path === `/organizations/${seeded.organization.organization_id}`) return success({ organization: organizationView(organization, true) });
    if (path === '/settings/fields')
      return success({
        fields: ['cf_custtin', 'cf_purchase_code'].map((api_name, index) => ({
          field_id: `${seeded.organization.organization_id}${index}`,
          api_name,
          label: api_name,
          data_type: 'string',
        })),
      });
    return jsonAnswer(404, { code: 5, message: 'Invalid URL Passed' });
  }

  const success = (body: object, message = 'success', statusCode = 200): Answered => jsonAnswer(statusCode, { code: 0, message, ...body });

  function paged(name: string, rows: unknown[], asked: Asked, criteria: unknown[] = []): Answered {
    const perPage = Math.min(200, Number(asked.query.get('per_page') ?? 200));
    const pageNumber = Number(asked.query.get('page') ?? 1);
    const from = (pageNumber - 1) * perPage;
    return success({
      [name]: rows.slice(from, from + perPage),
      page_context: {
        page: pageNumber,
        per_page: perPage,
        has_more_page: from + perPage < rows.length,
        report_name: name,
        applied_filter: 'Status.All',
        sort_column: 'created_time',
        sort_order: 'D',
        search_criteria: criteria,
      },
    });
  }

  /** Unknown filters are ignored without a word; the ones understood are echoed. */
  function documentList(all: Stored[], module: string, asked: Asked): Answered {
    const criteria: { column_name: string; search_text: string; comparator: string }[] = [];
    let rows = all;
    for (const column of ['status', 'customer_id', 'reference_number', module === 'invoices' ? 'invoice_number' : 'creditnote_number']) {
      const wanted = asked.query.get(column);
      if (wanted === null) continue;
      criteria.push({ column_name: column, search_text: wanted, comparator: 'equal' });
      rows = rows.filter((row) => row[column] === wanted);
    }
    const since = asked.query.get('last_modified_time');
    if (since && module === 'invoices') {
      criteria.push({ column_name: 'last_modified_time', search_text: since, comparator: 'greater_equals' });
      rows = rows.filter((row) => Date.parse(String(row.last_modified_time)) >= Date.parse(since));
    }
    const drop = ['line_items', 'taxes', 'custom_field_hash', 'customer_custom_field_hash', 'billing_address'];
    return paged(
      module,
      rows.map((row) => Object.fromEntries(Object.entries(row).filter(([key]) => !drop.includes(key)))),
      asked,
      criteria,
    );
  }

  function comments(organization: OrganizationState, id: string, asked: Asked): Answered {
    const kept = (organization.comments[id] ??= []);
    if (asked.method === 'GET') return success({ comments: kept });
    const body = JSON.parse(asked.body || '{}') as { description?: string };
    if (!body.description) return jsonAnswer(400, { code: 2, message: 'Invalid value passed for description' });
    kept.push({ comment_id: `${id}${kept.length}`, description: body.description, comment_type: 'internal', date: new Date().toISOString() });
    state.save();
    return success({ comment: kept.at(-1) }, 'Comments added.', 201);
  }

  function attachment(organization: OrganizationState, id: string, asked: Asked): Answered {
    const kept = (organization.attachments[id] ??= []);
    if (asked.method === 'GET') return success({ documents: kept });
    const name = /name="attachment"; filename="([^"]+)"/.exec(asked.body)?.[1];
    if (!name || !/\.(gif|png|jpe?g|bmp|pdf)$/i.test(name)) return jsonAnswer(400, { code: 2, message: 'Invalid value passed for attachment' });
    kept.push({ file_name: name, size: asked.body.length });
    state.save();
    return success({ documents: kept }, 'Your file has been successfully attached to the invoice.');
  }

  function customFields(organization: OrganizationState, module: 'invoices' | 'creditnotes', id: string, asked: Asked): Answered {
    const found = listOf(organization, module).find((each) => each[idKey(module)] === id);
    if (!found) return jsonAnswer(404, { code: 1002, message: 'does not exist' });
    const body = JSON.parse(asked.body || '[]') as { custom_fields?: Stored[] } | Stored[];
    const fields = Array.isArray(body) ? body : (body.custom_fields ?? []);
    const hash = found.custom_field_hash as Record<string, unknown>;
    for (const field of fields) if (typeof field.api_name === 'string') hash[field.api_name] = field.value;
    touch(found);
    return success({}, 'Custom Fields Updated Successfully');
  }

  function status(found: Stored, module: string, action: string): Answered {
    const to = { void: 'void', sent: 'sent', draft: 'draft', open: 'open' }[action];
    if (!to) return jsonAnswer(404, { code: 5, message: 'Invalid URL Passed' });
    if (to === 'draft' && found.status !== 'void') return jsonAnswer(400, { code: 2, message: 'Only void documents can be converted to draft' });
    found.status = to;
    touch(found);
    return success(
      {},
      module === 'invoices' ? `Invoice status has been changed to ${to[0]?.toUpperCase()}${to.slice(1)}.` : 'The status of the credit note has changed.',
    );
  }

  function touch(found: Stored): void {
    found.last_modified_time = `${new Date(Date.now() + 7_200_000).toISOString().slice(0, 19)}+0200`;
    state.save();
  }

  function remove(organization: OrganizationState, module: string, id: string): void {
    const rows = listOf(organization, module);
    rows.splice(
      rows.findIndex((each) => each[idKey(module)] === id),
      1,
    );
    state.save();
  }

  function organizationView(each: OrganizationState, isDetail: boolean): Stored {
    const o = each.seeded.organization;
    const view = {
      organization_id: o.organization_id,
      name: o.name,
      contact_name: 'Demo',
      email: `office@${o.organization_id}.example`,
      is_default_org: true,
      plan_name: 'PREMIUM',
      language_code: 'en',
      time_zone: o.time_zone,
      is_org_active: true,
      currency_id: `${o.organization_id}97`,
      currency_code: o.currency_code,
      currency_symbol: o.currency_code,
      price_precision: o.price_precision,
    };
    return isDetail
      ? {
          ...view,
          country: 'Rwanda',
          country_code: 'RW',
          user_role: 'admin',
          user_status: 'active',
          address: { street_address1: 'KG 11 Ave', city: 'Kigali', country: 'Rwanda' },
        }
      : view;
  }

  function nextFault(organizationId: string): string | undefined {
    const script = state.value.faults.find((each) => each.next.length > 0 && (!each.organization_id || each.organization_id === organizationId));
    const fault = script?.next.shift();
    if (script) state.save();
    return fault === 'none' ? undefined : fault;
  }

  function control(asked: Asked): Answered {
    const body = asked.body ? (JSON.parse(asked.body) as Record<string, unknown>) : {};
    if (asked.path === '/_sim/reset') state.reset();
    else if (asked.path === '/_sim/faults')
      state.value.faults = [{ next: (body.next as string[]) ?? [], organization_id: body.organization_id as string | undefined }];
    else if (asked.path === '/_sim/codes') return jsonAnswer(200, selfClient(String(body.organization_id)));
    else if (asked.path === '/_sim/change') change(body.module as 'invoices', String(body.document_id), body.patch as Stored | null);
    else return jsonAnswer(404, { error: 'no such control' });
    state.save();
    return jsonAnswer(200, { ok: true });
  }

  function change(module: 'invoices' | 'creditnotes', id: string, patch: Stored | null): void {
    for (const organization of state.value.organizations) {
      const found = listOf(organization, module).find((each) => each[idKey(module)] === id);
      if (!found) continue;
      if (patch === null) remove(organization, module, id);
      else {
        Object.assign(found, patch);
        touch(found);
      }
    }
  }

  /** The look-alike: a static page, its data for the eyes of whoever sits there, and the frame's side of the SDK's address. */
  function page(asked: Asked): Answered {
    if (asked.path === '/api-console') return { status: 200, type: 'text/html; charset=utf-8', body: apiConsole() };
    if (asked.path === '/data.json') {
      const widget = options.widgetUrl?.() ?? null;
      const organizations = state.value.organizations.map((each) => ({
        ...organizationView(each, true),
        invoices: each.seeded.invoices,
        creditnotes: each.seeded.creditnotes,
      }));
      return jsonAnswer(200, { organizations, widget });
    }
    const files: Record<string, string> = { '/': 'page/index.html', '/page.css': 'page/page.css', '/page.js': 'page/page.js', '/zf_sdk.js': 'page/zf_sdk.js' };
    const file = files[asked.path];
    if (!file) return { status: 404, type: 'text/plain', body: 'Not found' };
    const type = file.endsWith('.css') ? 'text/css' : file.endsWith('.js') ? 'text/javascript' : 'text/html';
    return { status: 200, type: `${type}; charset=utf-8`, body: readFileSync(new URL(file, import.meta.url)), headers: { 'cache-control': 'no-store' } };
  }

  /** Zoho's API console, as far as a self client needs it: reload for fresh codes. */
  function apiConsole(): string {
    const rows = state.value.organizations
      .map(({ seeded: { organization } }) => {
        const { code, client_id, client_secret } = selfClient(organization.organization_id);
        return `<section><h2>${organization.name}</h2><dl><dt>Data centre</dt><dd><code>http://127.0.0.1:${listening.port}</code></dd><dt>Client ID</dt><dd><code>${client_id}</code></dd><dt>Client secret</dt><dd><code>${client_secret}</code></dd><dt>Code (three minutes, once)</dt><dd><code>${code}</code></dd></dl></section>`;
      })
      .join('');
    return `<!doctype html><html lang="en"><meta charset="utf-8"><title>API console (simulated)</title><style>body{font:15px/1.5 system-ui,sans-serif;max-width:760px;margin:2rem auto;padding:0 1rem}code{overflow-wrap:anywhere}dt{color:#5b6270}dd{margin:0 0 .5rem}</style><h1>API console: self clients</h1>${rows}</html>`;
  }

  const listening = await listen(handle, options);
  return {
    ...listening,
    documents: () =>
      state.value.organizations.flatMap((each) =>
        each.seeded.documents.map((document) => ({ ...document, organization_id: each.seeded.organization.organization_id })),
      ),
    grants: () =>
      state.value.organizations.map((each) => ({
        organization_id: each.seeded.organization.organization_id,
        refreshToken: each.seeded.refreshToken,
        clientId: each.seeded.clientId,
        clientSecret: each.seeded.clientSecret,
      })),
    document: (module, id) => state.value.organizations.flatMap((each) => listOf(each, module)).find((each) => each[idKey(module)] === id) as Stored,
    change,
    selfClient,
    add(module, organizationId, document) {
      listOf(organizationOf(organizationId) as OrganizationState, module).push(document);
      state.save();
    },
    organization: (id) => (organizationOf(id) as OrganizationState).seeded.organization,
    faults(next, organizationId) {
      state.value.faults = [{ next, organization_id: organizationId }];
      state.save();
    },
    killGrant(refreshToken) {
      state.value.deadRefreshTokens.push(refreshToken);
      state.save();
    },
    reset: () => state.reset(),
  };
}

function paymentsOf(seeded: Seeded): Record<string, Stored[]> {
  return Object.fromEntries(
    seeded.invoices
      .filter((invoice) => Number(invoice.payment_made) > 0)
      .map((invoice) => {
        const what = seeded.documents.find((each) => each.id === invoice.invoice_id)?.what ?? '';
        const payment_mode = what.includes('no mapping') ? 'Barter' : 'Mobile Money';
        return [
          invoice.invoice_id as string,
          [
            {
              payment_id: createHash('sha256').update(String(invoice.invoice_id)).digest('hex').slice(0, 18),
              payment_mode,
              amount: invoice.total,
              date: invoice.date,
            },
          ],
        ];
      }),
  );
}
