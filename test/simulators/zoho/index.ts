import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type AccountsState,
  accountsServer,
  type Location,
  locations,
  mayCall,
  type User,
} from './accounts.ts';
import {
  type AutomationState,
  automation,
  type Delivery,
  type Field,
  freshAutomation,
  newId,
} from './automation.ts';
import {
  type Answered,
  type Asked,
  jsonAnswer,
  keptState,
  type Listening,
  listen,
} from '../kit/server.ts';
import { type DocumentAsk, makeDocument, shown, type Stored } from './documents.ts';
import { type Seeded, type SeededDocument, seed } from './seed.ts';

type OrganizationState = {
  seeded: Seeded;
  payments: Record<string, Stored[]>;
  comments: Record<string, Stored[]>;
  attachments: Record<string, Attachment[]>;
  mails: Record<string, { to: string[]; subject: string; attachments: string[]; at: string }[]>;
  automation: AutomationState;
};
type Attachment = {
  document_id: string;
  file_name: string;
  file_size: number;
  can_send_in_mail: boolean;
  base64: string;
};
type State = AccountsState & {
  organizations: OrganizationState[];
  /** `path`: only calls whose path holds it are met by the fault. */
  faults: { next: string[]; organization_id?: string | undefined; path?: string | undefined }[];
  calls: { organization_id: string; path: string; at: number }[];
  /** Calls of the present day, ours and those of the customer's other programs. */
  daily: Record<string, number>;
};

export type Zoho = Listening & {
  documents(): (SeededDocument & { organization_id: string })[];
  grants(): {
    organization_id: string;
    refreshToken: string;
    clientId: string;
    clientSecret: string;
  }[];
  document(module: 'invoices' | 'creditnotes', id: string): Stored;
  change(module: 'invoices' | 'creditnotes', id: string, patch: Stored | null): void;
  /** What the API console's self client shows: a client and a fresh code. */
  selfClient(organizationId: string): { code: string; client_id: string; client_secret: string };
  add(module: 'invoices' | 'creditnotes', organizationId: string, document: Stored): void;
  /** A document made by Zoho's own arithmetic, in the organization's present precision. */
  make(module: 'invoices' | 'creditnotes', organizationId: string, ask: DocumentAsk): Stored;
  /** The decimals of an organization's base currency: 0 to 3. */
  setPrecision(organizationId: string, decimals: number): void;
  organization(id: string): Seeded['organization'];
  /**
   * Scripts the next API answers: `html`, `unauthorized`, `expired_token`, `limit`, `error`,
   * `slow`, `wrong_document`.
   */
  faults(next: string[], organizationId?: string, path?: string): void;
  /** From now on its answers name a moment so far ahead of the present one. */
  clockAhead(ms: number): void;
  killGrant(refreshToken: string): void;
  /** Every address it is called by, a data centre each. */
  hosts(): string[];
  users(): User[];
  /** Where the browser is sent once that user has accepted what the address asks for. */
  accept(authorizeUrl: string, userId: string): string;
  /** A client of the API console, with the addresses it may send people back to. */
  allowRedirect(clientId: string, redirect: string): void;
  platformClient: { client_id: string; client_secret: string };
  /** How often a grant's token was refreshed. */
  refreshes(refreshToken: string): number;
  grantsAlive(): { refreshToken: string; userId: string; scopes: string[] }[];
  /** What webhooks were sent and how they were answered. */
  deliveries(): Delivery[];
  /**
   * Has the rules of a document's organization fire as after an edit; says when every answer is
   * there.
   */
  fire(module: 'invoices' | 'creditnotes', id: string, what?: 'add' | 'edit'): Promise<void>;
  /** Of every webhook to be sent: the share that is lost, and the share that is sent twice. */
  webhookFaults(faults: { loss?: number; duplicates?: number }): void;
  seenOn(id: string): {
    fields: Record<string, unknown>;
    attachments: Attachment[];
    comments: Stored[];
    mails: { to: string[]; attachments: string[] }[];
  };
  /** Whether writing to a credit note leaves it with another total, as rounding anew might. */
  alterNotes(isOn: boolean): void;
  fieldsOf(organizationId: string): Field[];
  /** As if somebody had made a custom field in Zoho's settings. */
  makeField(organizationId: string, entity: 'invoice' | 'creditnote', label: string): void;
  /** Another program of the customer's spends calls of the day. */
  spendElsewhere(organizationId: string, calls: number): void;
  callsOf(organizationId: string): number;
  reset(): void;
};

const perMinuteMax = 100;
const dailyMax = 10_000;
const platformClient = { client_id: '1000.MUHURIDEMO', client_secret: 'muhuri-demo-client' };

/**
 * One admin for each organization, one for both, and people of lesser rank. Accounts one to four
 * live in the first data centre.
 */
/** Who rules the organizations beyond the first two. */
const adminFrom = 100;
/** Who live in the data centres beyond the first two. */
const farFrom = 10;
const usersOf = (seeds: Seeded[], far: Location[]): User[] => {
  const [first = '', second = ''] = seeds.map((each) => each.organization.organization_id);
  const user = (
    n: number,
    name: string,
    organizations: User['organizations'],
    location: User['location'] = 'us',
  ): User => ({
    user_id: String(n),
    name,
    email: `${name.toLowerCase().replace(/ /g, '.')}@zoho.example`,
    location,
    organizations,
  });
  const admin = () => ({ role: 'admin', status: 'active' }) as const;
  const staff = () => ({ role: 'staff', status: 'active' }) as const;
  return [
    user(1, 'Ishimwe Admin', { [first]: admin() }),
    user(2, 'Uwase Admin', { [second]: admin() }),
    user(3, 'Keza Owner', { [first]: admin(), [second]: admin() }),
    user(4, 'Mugisha Staff', { [first]: staff() }),
    user(5, 'Elodie Europe', { [first]: admin() }, 'eu'),
    ...far.map((location, i) =>
      user(farFrom + i, `Admin in ${location}`, { [first]: admin() }, location),
    ),
    ...seeds.slice(2).map((each, i) =>
      user(adminFrom + i, `Admin of ${each.organization.name}`, {
        [each.organization.organization_id]: admin(),
      }),
    ),
  ];
};

/**
 * Zoho's accounts server and Books API for two invented organizations, and a page that looks and
 * behaves like Zoho Books. Written from Zoho's documents and recorded answers; it shares nothing
 * with the product.
 */
export async function startZoho(options: {
  today: string;
  stateFile?: string | null;
  port?: number;
  onTaken?: (port: number) => void;
  widgetUrl?: () => string;
  perMinuteMax?: number;
  perDayMax?: number;
  /** The other seven data centres as well, each at a port of its own, and a person in each. */
  withEveryDataCentre?: boolean;
  /** How many organizations there are; two unless said otherwise. */
  organizations?: number;
}): Promise<Zoho> {
  const far = options.withEveryDataCentre ? locations.slice(2) : [];
  const fresh = (): State => {
    const seeds = seed(options.today, options.organizations);
    return {
      organizations: seeds.map((seeded) => ({
        seeded,
        payments: paymentsOf(seeded),
        comments: {},
        attachments: {},
        mails: {},
        automation: freshAutomation(seeded.organization.organization_id),
      })),
      users: usersOf(seeds, far),
      clients: [
        { ...platformClient, redirects: [] },
        ...seeds.map((each) => ({
          client_id: each.clientId,
          client_secret: each.clientSecret,
          redirects: [],
        })),
      ],
      grants: seeds.map((each, index) => ({
        refreshToken: each.refreshToken,
        userId: `${index < 2 ? index + 1 : adminFrom + index - 2}`,
        clientId: each.clientId,
        scopes: ['ZohoBooks.fullaccess.all'],
        dead: false,
        madeAt: Date.now(),
      })),
      codes: [],
      tokens: [],
      refreshTimes: {},
      codeTimes: {},
      refreshes: {},
      faults: [],
      calls: [],
      daily: {},
    };
  };
  const state = keptState(options.stateFile ?? null, fresh);
  // A file of an earlier version of this simulator knows no users.
  if (!state.value.users) state.reset();
  state.save();
  const farHosts = new Map<Location, string>();
  const hostOf = (location: Location) =>
    farHosts.get(location) ??
    `http://${location === 'eu' ? 'localhost' : '127.0.0.1'}:${listening.port}`;
  const accounts = accountsServer(state, hostOf);
  const sent: Delivery[] = [];
  let altersNotes = false;
  const webhookFaults: { loss?: number; duplicates?: number } = {};
  const rulesOf = (organization: OrganizationState) =>
    automation(
      () => organization.automation,
      () => state.save(),
      () => newId(organization.seeded.organization.organization_id.slice(0, 8)),
      (delivery) => sent.push(delivery),
    );
  const fire = (
    organization: OrganizationState,
    module: 'invoices' | 'creditnotes',
    document: Stored,
    what: 'add' | 'edit' = 'edit',
  ) => rulesOf(organization).fire(module, document, what, webhookFaults);
  const limit = options.perMinuteMax ?? perMinuteMax;
  const perDay = options.perDayMax ?? dailyMax;
  const organizationOf = (id: string | null) =>
    state.value.organizations.find((each) => each.seeded.organization.organization_id === id);
  const listOf = (organization: OrganizationState, module: string): Stored[] =>
    module === 'invoices' ? organization.seeded.invoices : organization.seeded.creditnotes;
  const idKey = (module: string) => (module === 'invoices' ? 'invoice_id' : 'creditnote_id');

  const handle = async (asked: Asked): Promise<Answered | null> => {
    const account = accounts.handle(asked);
    if (account) return account;
    if (asked.path.startsWith('/books/v3')) return api(asked, asked.path.slice('/books/v3'.length));
    if (asked.path.startsWith('/_sim')) return control(asked);
    return page(asked);
  };

  function selfClient(organizationId: string): {
    code: string;
    client_id: string;
    client_secret: string;
  } {
    const organization = organizationOf(organizationId);
    if (!organization) throw new Error(`no organization ${organizationId}`);
    const { clientId, clientSecret, refreshToken } = organization.seeded;
    const userId =
      state.value.grants.find((each) => each.refreshToken === refreshToken)?.userId ?? '1';
    return {
      code: accounts.selfClientCode(userId, clientId),
      client_id: clientId,
      client_secret: clientSecret,
    };
  }

  async function api(asked: Asked, path: string): Promise<Answered | null> {
    const organizationId = asked.query.get('organization_id');
    const owner = accounts.ownerOf(asked);
    if (!owner)
      return jsonAnswer(401, { code: 14, message: 'Invalid value passed for authtoken.' });
    const mine = state.value.organizations.filter(
      (each) =>
        owner.user.organizations[each.seeded.organization.organization_id]?.status === 'active',
    );
    if (path === '/organizations')
      return success({
        organizations: mine.map((each) => ({
          ...organizationView(each, false),
          user_role: owner.user.organizations[each.seeded.organization.organization_id]?.role,
        })),
      });
    const organization = organizationOf(organizationId);
    if (!organization || !mine.includes(organization))
      return jsonAnswer(400, {
        code: 6041,
        message: 'This user is not associated with the CompanyID/CompanyName: .',
      });
    const minute = state.value.calls.filter(
      (call) => call.organization_id === organizationId && Date.now() - call.at < 60_000,
    );
    state.value.calls = [
      ...state.value.calls.filter((call) => Date.now() - call.at < 60_000),
      { organization_id: organizationId as string, path, at: Date.now() },
    ];
    const used = (state.value.daily[organizationId as string] ?? 0) + 1;
    state.value.daily[organizationId as string] = used;
    const quota = {
      'x-rate-limit-limit': String(perDay),
      'x-rate-limit-remaining': String(Math.max(0, perDay - used)),
      'x-rate-limit-reset': '40000',
    };
    if (used > perDay)
      return jsonAnswer(
        429,
        { code: 45, message: 'You have exceeded the maximum number of requests per day.' },
        quota,
      );
    if (minute.length >= limit)
      return jsonAnswer(
        429,
        {
          code: 44,
          message:
            'For security reasons, you have been blocked for some time as you have exceeded the maximum number of requests per minute.',
        },
        quota,
      );
    const fault = nextFault(organizationId as string, path);
    if (fault === 'drop') return null;
    if (fault === 'html')
      return {
        status: 502,
        type: 'text/html',
        body: '<html><body>Zoho is under maintenance</body></html>',
        headers: quota,
      };
    if (fault === 'unauthorized')
      return jsonAnswer(
        401,
        { code: 57, message: 'You are not authorized to perform this operation' },
        quota,
      );
    if (fault === 'limit')
      return jsonAnswer(
        429,
        { code: 44, message: 'Too many requests' },
        { ...quota, 'retry-after': '30' },
      );
    if (fault === 'error') return jsonAnswer(500, { code: 1000, message: 'Internal error' }, quota);
    if (fault === 'expired_token') {
      state.value.tokens = [];
      state.save();
      return jsonAnswer(401, { code: 14, message: 'Invalid value passed for authtoken.' }, quota);
    }
    if (fault === 'slow') await pause(20_000, undefined, { ref: false });
    if (!mayCall(owner.scopes, asked.method, path))
      return jsonAnswer(
        401,
        { code: 57, message: 'You are not authorized to perform this operation' },
        quota,
      );
    const answered = path.startsWith('/users')
      ? users(organization, asked, owner.user)
      : resource(organization, asked, path, fault);
    return { ...answered, headers: { ...answered.headers, ...quota } };
  }

  function resource(
    organization: OrganizationState,
    asked: Asked,
    path: string,
    fault: string | undefined,
  ): Answered {
    const { seeded } = organization;
    const match = /^\/(invoices|creditnotes)(?:\/(\d+)(?:\/(\w+)(?:\/(\w+))?)?)?$/.exec(path);
    if (match) {
      const [, module = '', id, sub, action] = match;
      if (!id) return documentList(listOf(organization, module), module, asked);
      const found = listOf(organization, module).find((each) => each[idKey(module)] === id);
      if (!found)
        return jsonAnswer(404, {
          code: 1002,
          message: `${module === 'invoices' ? 'Invoice' : 'Credit Note'} does not exist.`,
        });
      if (!sub && asked.method === 'GET') {
        const shown =
          fault === 'wrong_document'
            ? listOf(organization, module).find((each) => each !== found)
            : found;
        return success({
          [module === 'invoices' ? 'invoice' : 'creditnote']: {
            ...shown,
            [`${module === 'invoices' ? 'invoice' : 'creditnote'}_url`]: `https://example.invalid/${randomBytes(4).toString('hex')}`,
          },
        });
      }
      if (!sub && asked.method === 'PUT' && module === 'creditnotes')
        return updateNote(organization, found, id, asked);
      if (!sub && asked.method === 'DELETE') {
        remove(organization, module, id);
        return success(
          {},
          module === 'invoices'
            ? 'The invoice has been deleted.'
            : 'The credit note has been deleted.',
        );
      }
      if (sub === 'payments') return success({ payments: organization.payments[id] ?? [] });
      if (sub === 'creditsapplied') return success({ credits: [] });
      if (sub === 'invoices' && module === 'creditnotes')
        return success({ invoices_credited: found.invoices });
      if (sub === 'comments') return comments(organization, id, asked);
      if (sub === 'attachment') return attachment(organization, found, id, asked);
      if (sub === 'email' && module === 'invoices') return email(organization, found, id, asked);
      if (sub === 'status' && asked.method === 'POST')
        return status(organization, found, module as 'invoices', action ?? '');
      return jsonAnswer(404, { code: 5, message: 'Invalid URL Passed' });
    }
    const custom = /^\/(invoice|creditnote)\/(\d+)\/customfields$/.exec(path);
    if (custom && asked.method === 'PUT')
      return customFields(
        organization,
        custom[1] === 'invoice' ? 'invoices' : 'creditnotes',
        custom[2] as string,
        asked,
      );
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
              cf_custtin: undefined,
              persons: undefined,
              contact_persons: (one.persons ?? []).map(({ name, mobile = '', phone = '' }, i) => ({
                contact_person_id: `${one.contact_id.slice(0, -2)}9${i}`,
                first_name: name,
                mobile,
                phone,
                is_primary_contact: i === 0,
              })),
              custom_fields: one.cf_custtin
                ? [
                    {
                      api_name: 'cf_custtin',
                      value: shown(one.cf_custtin).value,
                      value_formatted: shown(one.cf_custtin).text,
                    },
                  ]
                : [],
            },
          })
        : jsonAnswer(404, { code: 1002, message: 'Contact does not exist.' });
    }
    if (path === '/items')
      return paged(
        'items',
        seeded.organization.items.map((each) => ({
          ...each,
          status: 'active',
          item_type: 'sales',
        })),
        asked,
      );
    if (path === '/settings/taxes')
      return paged(
        'taxes',
        seeded.organization.taxes.map(({ parts: _parts, ...each }) => ({
          ...each,
          is_value_added: true,
          is_default_tax: false,
          is_editable: true,
        })),
        asked,
      );
    if (path === '/locations') return paged('locations', seeded.organization.locations, asked);
    if (path === `/organizations/${seeded.organization.organization_id}`)
      return success({ organization: organizationView(organization, true) });
    const ruled = rulesOf(organization).handle(asked, path);
    if (ruled) return ruled;
    return jsonAnswer(404, { code: 5, message: 'Invalid URL Passed' });
  }

  const success = (body: object, message = 'success', statusCode = 200): Answered =>
    jsonAnswer(statusCode, { code: 0, message, ...body });

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
    for (const column of [
      'status',
      'customer_id',
      'reference_number',
      module === 'invoices' ? 'invoice_number' : 'creditnote_number',
    ]) {
      const wanted = asked.query.get(column);
      if (wanted === null) continue;
      criteria.push({ column_name: column, search_text: wanted, comparator: 'equal' });
      rows = rows.filter((row) => row[column] === wanted);
    }
    const since = asked.query.get('last_modified_time');
    if (since && module === 'invoices') {
      criteria.push({
        column_name: 'last_modified_time',
        search_text: since,
        comparator: 'greater_equals',
      });
      rows = rows.filter((row) => Date.parse(String(row.last_modified_time)) >= Date.parse(since));
    }
    if (asked.query.get('sort_column') === 'last_modified_time')
      rows = [...rows].sort(
        (a, b) =>
          Date.parse(String(b.last_modified_time)) - Date.parse(String(a.last_modified_time)),
      );
    if (asked.query.get('sort_order') === 'A') rows = [...rows].reverse();
    const drop = [
      'line_items',
      'taxes',
      'custom_field_hash',
      'customer_custom_field_hash',
      'billing_address',
    ];
    return paged(
      module,
      rows.map((row) =>
        Object.fromEntries(Object.entries(row).filter(([key]) => !drop.includes(key))),
      ),
      asked,
      criteria,
    );
  }

  function comments(organization: OrganizationState, id: string, asked: Asked): Answered {
    const kept = (organization.comments[id] ??= []);
    if (asked.method === 'GET') return success({ comments: kept });
    const body = JSON.parse(asked.body || '{}') as { description?: string };
    if (!body.description)
      return jsonAnswer(400, { code: 2, message: 'Invalid value passed for description' });
    kept.push({
      comment_id: `${id}${kept.length}`,
      description: body.description,
      comment_type: 'internal',
      date: new Date().toISOString(),
    });
    state.save();
    return success({ comment: kept.at(-1) }, 'Comments added.', 201);
  }

  function attachment(
    organization: OrganizationState,
    found: Stored,
    id: string,
    asked: Asked,
  ): Answered {
    const kept = (organization.attachments[id] ??= []);
    if (asked.method === 'GET') {
      const last = kept.at(-1);
      return last
        ? { status: 200, type: 'application/pdf', body: Buffer.from(last.base64, 'base64') }
        : jsonAnswer(404, { code: 1002, message: 'No attachment.' });
    }
    const isMailed = asked.query.get('can_send_in_mail') === 'true';
    if (asked.method === 'PUT') {
      for (const each of kept) each.can_send_in_mail = isMailed;
    } else {
      const raw = asked.bytes.toString('latin1');
      const name = /name="attachment"; filename="([^"]+)"/.exec(raw)?.[1];
      if (!name || !/\.(gif|png|jpe?g|bmp|pdf)$/i.test(name))
        return jsonAnswer(400, { code: 2, message: 'Invalid value passed for attachment' });
      const from = raw.indexOf('\r\n\r\n', raw.indexOf('name="attachment"')) + 4;
      const file = Buffer.from(
        raw.slice(
          from,
          raw.indexOf(
            `\r\n--${/boundary="?([^";]+)/.exec(String(asked.headers['content-type']))?.[1]}`,
            from,
          ),
        ),
        'latin1',
      );
      if (file.length > 10 << 20)
        return jsonAnswer(400, { code: 2, message: 'The attachment exceeds the allowed size' });
      kept.push({
        document_id: newId(id.slice(0, 8)),
        file_name: name,
        file_size: file.length,
        can_send_in_mail: isMailed,
        base64: file.toString('base64'),
      });
    }
    found.documents = kept.map(({ base64: _base64, ...each }) => each);
    found.has_attachment = kept.length > 0;
    found.attachment_name = kept.at(-1)?.file_name ?? '';
    changed(organization, 'invoices', found);
    return success(
      { documents: found.documents },
      'Your file has been successfully attached to the invoice.',
    );
  }

  function email(
    organization: OrganizationState,
    found: Stored,
    id: string,
    asked: Asked,
  ): Answered {
    const address = String(found.email ?? '');
    if (asked.method === 'GET')
      return success({
        data: {
          to_contacts: [{ email: address, selected: true }],
          subject: `Invoice ${found.invoice_number}`,
          body: 'Dear customer, …',
        },
      });
    const body = JSON.parse(asked.body || '{}') as { to_mail_ids?: string[]; subject?: string };
    const to = body.to_mail_ids ?? [address];
    if (to.length === 0 || to.some((each) => !each.includes('@')))
      return jsonAnswer(400, { code: 2, message: 'Invalid value passed for to_mail_ids' });
    (organization.mails[id] ??= []).push({
      to,
      subject: body.subject ?? '',
      attachments: (organization.attachments[id] ?? [])
        .filter((each) => each.can_send_in_mail)
        .map((each) => each.file_name),
      at: new Date().toISOString(),
    });
    found.is_emailed = true;
    if (found.status === 'draft' || found.status === 'approved') found.status = 'sent';
    changed(organization, 'invoices', found);
    return success({}, 'Your invoice has been sent.');
  }

  function users(organization: OrganizationState, asked: Asked, me: User): Answered {
    const { organization_id } = organization.seeded.organization;
    const view = (each: User) => ({
      user_id: each.user_id,
      name: each.name,
      email: each.email,
      user_role: each.organizations[organization_id]?.role,
      status: each.organizations[organization_id]?.status,
      is_current_user: each === me,
      user_type: 'zoho',
    });
    if (asked.path.endsWith('/me'))
      return success({
        user: { ...view(me), email_ids: [{ email: me.email, is_selected: true }] },
      });
    const one = /\/users\/(\d+)$/.exec(asked.path)?.[1];
    if (one !== undefined) {
      const found = state.value.users.find(
        (each) => each.user_id === one && organization_id in each.organizations,
      );
      return found
        ? success({
            user: { ...view(found), email_ids: [{ email: found.email, is_selected: true }] },
          })
        : jsonAnswer(404, { code: 1002, message: 'User does not exist.' });
    }
    return paged(
      'users',
      state.value.users.filter((each) => organization_id in each.organizations).map(view),
      asked,
    );
  }

  function customFields(
    organization: OrganizationState,
    module: 'invoices' | 'creditnotes',
    id: string,
    asked: Asked,
  ): Answered {
    const found = listOf(organization, module).find((each) => each[idKey(module)] === id);
    if (!found) return jsonAnswer(404, { code: 1002, message: 'does not exist' });
    const body = JSON.parse(asked.body || '[]') as { custom_fields?: Stored[] } | Stored[];
    const given = Array.isArray(body) ? body : (body.custom_fields ?? []);
    const known = organization.automation.fields.filter(
      (each) => each.entity === (module === 'invoices' ? 'invoice' : 'creditnote'),
    );
    const hash = found.custom_field_hash as Record<string, unknown>;
    const rows = found.custom_fields as Stored[];
    for (const one of given) {
      // A name Zoho does not know is passed over without a word.
      const field = known.find(
        (each) => each.field_id === one.customfield_id || each.api_name === one.api_name,
      );
      if (!field) continue;
      if (String(one.value ?? '').length > (field.data_type === 'string' ? 255 : 36_000))
        return jsonAnswer(400, {
          code: 15,
          message: `Please ensure that the ${field.label} has less than 255 characters.`,
        });
      hash[field.api_name] = one.value;
      const row = rows.find((each) => each.api_name === field.api_name);
      if (row) row.value = one.value;
      else
        rows.push({
          customfield_id: field.field_id,
          api_name: field.api_name,
          label: field.label,
          data_type: field.data_type,
          value: one.value,
        });
    }
    changed(organization, module, found);
    return success({}, 'Custom Fields Updated Successfully');
  }

  /**
   * A whole note at a time: what is not given stays, but a line that is not given, by its id, is
   * deleted, and one without an id is new.
   */
  function updateNote(
    organization: OrganizationState,
    found: Stored,
    id: string,
    asked: Asked,
  ): Answered {
    const body = JSON.parse(asked.body || '{}') as {
      line_items?: Stored[];
      [key: string]: unknown;
    };
    for (const key of ['customer_id', 'date', 'creditnote_number'])
      if (!body[key])
        return jsonAnswer(400, { code: 2, message: `Invalid value passed for ${key}` });
    if (!Array.isArray(body.line_items))
      return jsonAnswer(400, { code: 2, message: 'Invalid value passed for line_items' });
    const before = found.line_items as Stored[];
    const lines: Stored[] = body.line_items.map((given) => {
      const known = before.find((each) => each.line_item_id === given.line_item_id);
      return known ? { ...known, ...given } : { ...given, line_item_id: newId(id.slice(0, 8)) };
    });
    const isSame =
      lines.length === before.length &&
      lines.every(
        (line, i) => line.rate === before[i]?.rate && line.quantity === before[i]?.quantity,
      );
    found.line_items = lines;
    if (!isSame || altersNotes) found.total = Number(found.total) + 1;
    return customFields(organization, 'creditnotes', id, asked);
  }

  /** The API's own writes change the time and fire the rules, like a person's. */
  function changed(
    organization: OrganizationState,
    module: 'invoices' | 'creditnotes',
    found: Stored,
  ): void {
    touch(found);
    void fire(organization, module, found);
  }

  function status(
    organization: OrganizationState,
    found: Stored,
    module: 'invoices' | 'creditnotes',
    action: string,
  ): Answered {
    const to = { void: 'void', sent: 'sent', draft: 'draft', open: 'open' }[action];
    if (!to) return jsonAnswer(404, { code: 5, message: 'Invalid URL Passed' });
    if (to === 'draft' && found.status !== 'void')
      return jsonAnswer(400, { code: 2, message: 'Only void documents can be converted to draft' });
    found.status = to;
    changed(organization, module, found);
    return success(
      {},
      module === 'invoices'
        ? `Invoice status has been changed to ${to[0]?.toUpperCase()}${to.slice(1)}.`
        : 'The status of the credit note has changed.',
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

  function nextFault(organizationId: string, path: string): string | undefined {
    const script = state.value.faults.find(
      (each) =>
        each.next.length > 0 &&
        (!each.organization_id || each.organization_id === organizationId) &&
        path.includes(each.path ?? ''),
    );
    const fault = script?.next.shift();
    if (script) state.save();
    return fault === 'none' ? undefined : fault;
  }

  function control(asked: Asked): Answered {
    const body = asked.body ? (JSON.parse(asked.body) as Record<string, unknown>) : {};
    if (asked.path === '/_sim/reset') state.reset();
    else if (asked.path === '/_sim/faults')
      state.value.faults = [
        {
          next: (body.next as string[]) ?? [],
          organization_id: body.organization_id as string | undefined,
        },
      ];
    else if (asked.path === '/_sim/codes')
      return jsonAnswer(200, selfClient(String(body.organization_id)));
    else if (asked.path === '/_sim/webhooks') Object.assign(webhookFaults, body);
    else if (asked.path === '/_sim/change')
      change(body.module as 'invoices', String(body.document_id), body.patch as Stored | null);
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
        changed(organization, module, found);
      }
    }
  }

  /**
   * The look-alike: a static page, its data for the eyes of whoever sits there, and the frame's
   * side of the SDK's address.
   */
  function page(asked: Asked): Answered {
    if (asked.path === '/api-console')
      return { status: 200, type: 'text/html; charset=utf-8', body: apiConsole() };
    if (asked.path === '/data.json') {
      const widget = options.widgetUrl?.() ?? null;
      const organizations = state.value.organizations.map((each) => ({
        ...organizationView(each, true),
        invoices: each.seeded.invoices,
        creditnotes: each.seeded.creditnotes,
        comments: each.comments,
        mails: each.mails,
      }));
      return jsonAnswer(200, { organizations, widget });
    }
    const files: Record<string, string> = {
      '/': 'page/index.html',
      '/page.css': 'page/page.css',
      '/page.js': 'page/page.js',
      '/zf_sdk.js': 'page/zf_sdk.js',
    };
    const file = files[asked.path];
    if (!file) return { status: 404, type: 'text/plain', body: 'Not found' };
    const type = file.endsWith('.css')
      ? 'text/css'
      : file.endsWith('.js')
        ? 'text/javascript'
        : 'text/html';
    return {
      status: 200,
      type: `${type}; charset=utf-8`,
      body: readFileSync(new URL(file, import.meta.url)),
      headers: { 'cache-control': 'no-store' },
    };
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

  let aheadMs = 0;
  const dated: typeof handle = async (asked) => {
    const answer = await handle(asked);
    return answer && aheadMs !== 0
      ? {
          ...answer,
          headers: { ...answer.headers, date: new Date(Date.now() + aheadMs).toUTCString() },
        }
      : answer;
  };
  const listening = await listen(dated, options);
  const farListening: Listening[] = [];
  for (const location of far) {
    const each = await listen(dated);
    farListening.push(each);
    farHosts.set(location, each.url);
  }
  return {
    ...listening,
    async close() {
      for (const each of farListening) await each.close();
      await listening.close();
    },
    hosts: () => [hostOf('us'), hostOf('eu'), ...farHosts.values()],
    documents: () =>
      state.value.organizations.flatMap((each) =>
        each.seeded.documents.map((document) => ({
          ...document,
          organization_id: each.seeded.organization.organization_id,
        })),
      ),
    grants: () =>
      state.value.organizations.map((each) => ({
        organization_id: each.seeded.organization.organization_id,
        refreshToken: each.seeded.refreshToken,
        clientId: each.seeded.clientId,
        clientSecret: each.seeded.clientSecret,
      })),
    document: (module, id) =>
      state.value.organizations
        .flatMap((each) => listOf(each, module))
        .find((each) => each[idKey(module)] === id) as Stored,
    change,
    selfClient,
    add(module, organizationId, document) {
      listOf(organizationOf(organizationId) as OrganizationState, module).push(document);
      state.save();
    },
    make(module, organizationId, ask) {
      const organization = organizationOf(organizationId) as OrganizationState;
      const made = makeDocument(organization.seeded.organization, module, ask);
      listOf(organization, module).push(made);
      state.save();
      return made;
    },
    setPrecision(organizationId, decimals) {
      (organizationOf(organizationId) as OrganizationState).seeded.organization.price_precision =
        decimals;
      state.save();
    },
    organization: (id) => (organizationOf(id) as OrganizationState).seeded.organization,
    faults(next, organizationId, path) {
      state.value.faults = [{ next, organization_id: organizationId, path }];
      state.save();
    },
    clockAhead(ms) {
      aheadMs = ms;
    },
    killGrant: accounts.kill,
    users: () => state.value.users,
    accept: accounts.accept,
    allowRedirect(clientId, redirect) {
      const client = state.value.clients.find((each) => each.client_id === clientId);
      if (client && !client.redirects.includes(redirect)) client.redirects.push(redirect);
      state.save();
    },
    platformClient,
    refreshes: (refreshToken) => state.value.refreshes[refreshToken] ?? 0,
    grantsAlive: () => state.value.grants.filter((each) => !each.dead),
    deliveries: () => sent,
    fire(module, id, what) {
      const organization = state.value.organizations.find((each) =>
        listOf(each, module).some((one) => one[idKey(module)] === id),
      ) as OrganizationState;
      return fire(
        organization,
        module,
        listOf(organization, module).find((one) => one[idKey(module)] === id) as Stored,
        what,
      );
    },
    webhookFaults: (faults) => void Object.assign(webhookFaults, faults),
    seenOn(id) {
      const organization = state.value.organizations.find((each) =>
        [...each.seeded.invoices, ...each.seeded.creditnotes].some(
          (one) => one.invoice_id === id || one.creditnote_id === id,
        ),
      ) as OrganizationState;
      const document = [...organization.seeded.invoices, ...organization.seeded.creditnotes].find(
        (one) => one.invoice_id === id || one.creditnote_id === id,
      ) as Stored;
      return {
        fields: document.custom_field_hash as Record<string, unknown>,
        attachments: organization.attachments[id] ?? [],
        comments: organization.comments[id] ?? [],
        mails: organization.mails[id] ?? [],
      };
    },
    alterNotes(isOn) {
      altersNotes = isOn;
    },
    makeField(organizationId, entity, label) {
      const { fields } = (organizationOf(organizationId) as OrganizationState).automation;
      const api_name = `cf_${label.toLowerCase().replaceAll(' ', '_')}`;
      fields.push({
        field_id: newId(organizationId.slice(0, 8)),
        api_name,
        label,
        data_type: 'string',
        entity,
        show_on_pdf: true,
      });
      state.save();
    },
    fieldsOf: (organizationId) =>
      (organizationOf(organizationId) as OrganizationState).automation.fields,
    spendElsewhere(organizationId, calls) {
      state.value.daily[organizationId] = (state.value.daily[organizationId] ?? 0) + calls;
    },
    callsOf: (organizationId) => state.value.daily[organizationId] ?? 0,
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
              payment_id: createHash('sha256')
                .update(String(invoice.invoice_id))
                .digest('hex')
                .slice(0, 18),
              payment_mode,
              amount: invoice.total,
              date: invoice.date,
            },
          ],
        ];
      }),
  );
}
