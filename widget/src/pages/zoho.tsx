import { useEffect, useState } from 'preact/hooks';
import type { Views } from './api.ts';
import { moment, useAct, useLoad, usePage, usePages } from './page.ts';
import { Card, Check, Dialog, FactList, Form, Lines, Message, Meter, More, Pick, Shown, Table, Tag, Text } from './parts.tsx';
import { filled, type PageWords } from './words.ts';

type Consent = Views['consent'];
type Config = Views['config'];

/** The business's connection with Zoho: how it stands, what it may do by itself, what came in. */
export function ZohoPage() {
  const { api } = usePage();
  const zoho = useLoad(() => api.get<Views['zoho']>('/businesses/me/zoho-config'));
  const [turn, setTurn] = useState(0);
  return (
    <Shown of={zoho}>
      {(is) => (
        <>
          <Connection is={is} onChange={zoho.reload} />
          {is.status === 'active' ? (
            <>
              <Health />
              <Automation key={turn} />
              <Installation onChange={() => setTurn(turn + 1)} />
              <Addresses />
              <Deliveries />
            </>
          ) : null}
          <Subscribers />
        </>
      )}
    </Shown>
  );
}

function Connection({ is, onChange }: { is: Views['zoho']; onChange(): void }) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [isEnding, setEnding] = useState(false);
  const disconnect = () =>
    act(async () => {
      await api.post(`/oauth/disconnect/${is.connection_id}`);
      setEnding(false);
      onChange();
    });
  return (
    <Card title={words.zoho} {...(is.status === 'needs_reconnecting' ? { tone: 'bad' as const } : {})}>
      {is.status === 'needs_reconnecting' ? (
        <p class="notice bad" role="alert">
          {words.needsReconnecting}
        </p>
      ) : null}
      {is.status === 'none' ? <p>{words.notConnected}</p> : null}
      {is.connection_id ? <Status id={is.connection_id} onEnd={() => setEnding(true)} /> : null}
      {is.status === 'active' ? (
        <details>
          <summary>{words.connectMore}</summary>
          <ConnectForm isAgain centres={is.data_centres} />
        </details>
      ) : (
        <ConnectForm isAgain={is.status !== 'none'} centres={is.data_centres} />
      )}
      {isEnding ? (
        <Dialog title={words.disconnect} onClose={() => setEnding(false)}>
          <p>{words.disconnectWhat}</p>
          <Message text={message} />
          <div class="row">
            <button type="button" class="button" disabled={isBusy} onClick={() => void disconnect()}>
              {words.disconnect}
            </button>
            <button type="button" class="button plain" onClick={() => setEnding(false)}>
              {words.cancel}
            </button>
          </div>
        </Dialog>
      ) : null}
    </Card>
  );
}

function Status({ id, onEnd }: { id: string; onEnd(): void }) {
  const { words, api, language } = usePage();
  const status = useLoad(() => api.get<Views['connection']>(`/oauth/status/${id}`), [id]);
  return (
    <Shown of={status}>
      {(connection) => (
        <>
          <FactList
            rows={[
              [words.organization, connection.organization_id],
              [words.dataCentre, connection.api_domain],
              [words.connectedSince, moment(connection.connected_at, language)],
              [words.client, connection.has_own_client ? words.clientOwn : words.clientOurs],
              [words.scopes, connection.scopes.join(', ')],
            ]}
          />
          <div class="row">
            {connection.consent_id ? (
              <a class="button plain" href={`#/organizations/${connection.consent_id}`}>
                {words.mapMore}
              </a>
            ) : null}
            <button type="button" class="button plain" onClick={onEnd}>
              {words.disconnect}
            </button>
          </div>
        </>
      )}
    </Shown>
  );
}

/** What is asked of Zoho, said before anybody leaves for it. */
export function ConnectForm({ isAgain, centres }: { isAgain: boolean; centres: string[] }) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [value, set] = useState({ data_centre: centres[0] ?? 'com', writes: true, installs: true, client_id: '', client_secret: '' });
  const connect = () =>
    act(async () => {
      const { data_centre, client_id, client_secret } = value;
      const abilities = ['read', ...(value.writes ? ['write_back'] : []), ...(value.installs ? ['install'] : [])];
      const reply = await api.post<Views['consentUrl']>('/oauth/connect', { data_centre, abilities, ...(client_id ? { client_id, client_secret } : {}) });
      location.assign(reply.consent_url);
    });
  return (
    <Form onSubmit={connect} submit={isAgain ? words.connectAgain : words.connectZoho} isBusy={isBusy}>
      <p class="quiet">{words.connectNext}</p>
      <Pick
        label={words.dataCentre}
        value={value.data_centre}
        choices={centres.map((each) => [each, each.includes('/') ? each : `zoho.${each}`])}
        onChange={(data_centre) => set({ ...value, data_centre })}
      />
      <Check label={words.abilityWrite} checked={value.writes} onChange={(writes) => set({ ...value, writes })} />
      <Check label={words.abilityInstall} checked={value.installs} onChange={(installs) => set({ ...value, installs })} />
      <details>
        <summary>{words.ownClient}</summary>
        <Text label={words.clientId} value={value.client_id} onInput={(client_id) => set({ ...value, client_id })} required={false} />
        <Text
          label={words.clientSecret}
          value={value.client_secret}
          onInput={(client_secret) => set({ ...value, client_secret })}
          type="password"
          required={false}
        />
      </details>
      <Message text={message} />
    </Form>
  );
}

/** Back from Zoho: what came behind the `#` is given to the server by the session that began it, once. */
export function ConsentPage({ query }: { query: string }) {
  const { words, api } = usePage();
  const { act, message } = useAct();
  const [consent, setConsent] = useState<Consent | null>(null);
  useEffect(() => {
    // Opened again, or from a bookmark: there is nothing to give.
    if (query === '') {
      location.hash = '#/zoho';
      return;
    }
    const given = Object.fromEntries(new URLSearchParams(atob(query.replaceAll('-', '+').replaceAll('_', '/'))));
    // The code works once; it need not stand in the address any longer.
    history.replaceState(null, '', '#/consent/');
    void act(async () => setConsent(await api.post<Consent>('/oauth/callback', given)));
  }, []);
  if (consent) return <Organizations consent={consent} />;
  return (
    <Card title={words.zoho}>
      {message ? (
        <>
          <Message text={message} />
          <a class="button" href="#/zoho">
            {words.back}
          </a>
        </>
      ) : (
        <p role="status">{words.loading}</p>
      )}
    </Card>
  );
}

/** A consent of one's own, opened again to map more organizations. */
export function OrganizationsPage({ id }: { id: string }) {
  const { api } = usePage();
  const consent = useLoad(() => api.get<Consent>(`/oauth/consents/${id}`), [id]);
  return <Shown of={consent}>{(is) => <Organizations consent={is} />}</Shown>;
}

function Organizations({ consent }: { consent: Consent }) {
  const { words, api } = usePage();
  const { act, isBusy, message, isGood } = useAct();
  const [is, set] = useState(consent);
  const [chosen, choose] = useState<Record<string, string>>({});
  // A business that is connected already is disconnected first: no click moves a taxpayer's invoices to another organization.
  const free = is.businesses.filter((each) => each.organization_id === null);
  const nameOf = (id: string | null) => is.businesses.find((each) => each.business_id === id)?.business_name ?? '';
  const bind = (organization_id: string) =>
    act(
      async () =>
        set(
          await api.post<Consent>(`/oauth/consents/${is.id}/connections`, {
            organization_id,
            business_id: chosen[organization_id] ?? free[0]?.business_id ?? '',
          }),
        ),
      words.saved,
    );
  return (
    <Card title={words.mapOrganizations}>
      <p class="quiet">{words.mapOrganizationsNext}</p>
      <Message text={message} isGood={isGood} />
      <Table
        columns={[words.organization, words.zohoRole, words.business, words.todo]}
        empty={words.noOrganizations}
        rows={is.organizations.map((each) => ({
          key: each.organization_id,
          cells: [
            <>
              <bdi>{each.name}</bdi> <span class="quiet">{each.organization_id}</span>
            </>,
            each.role,
            each.business_id ? (
              <Tag tone="good">{nameOf(each.business_id)}</Tag>
            ) : free.length === 0 ? (
              <span class="quiet">{words.noFreeBusiness}</span>
            ) : (
              <Pick
                label={words.business}
                value={chosen[each.organization_id] ?? free[0]?.business_id ?? ''}
                choices={free.map((one) => [one.business_id, one.business_name])}
                onChange={(business_id) => choose({ ...chosen, [each.organization_id]: business_id })}
              />
            ),
            each.business_id || free.length === 0 ? null : (
              <button type="button" class="button plain" disabled={isBusy || each.role !== 'admin'} onClick={() => void bind(each.organization_id)}>
                {words.connect}
              </button>
            ),
          ],
        }))}
      />
      <p>
        <a href="#/setup">{words.setup}</a> · <a href="#/zoho">{words.zoho}</a>
      </p>
    </Card>
  );
}

function Health() {
  const { words, api, language } = usePage();
  const health = useLoad(() => api.get<Views['health']>('/zoho/health'));
  const { act, isBusy, message, isGood } = useAct();
  const look = () =>
    act(async () => {
      await api.post('/zoho/poll');
      health.reload();
    }, words.looked);
  return (
    <Card
      title={words.health}
      actions={
        <button type="button" class="button plain" disabled={isBusy} onClick={() => void look()}>
          {words.lookNow}
        </button>
      }
    >
      <Message text={message} isGood={isGood} />
      <Shown of={health}>
        {(is) => (
          <>
            {Object.values(is.polled).map((each) =>
              each.problem ? (
                <p class="notice bad" key={each.problem.code}>
                  {each.problem.title} {each.problem.detail}
                </p>
              ) : null,
            )}
            <FactList
              rows={[
                [words.callsToday, filled(words.callsOf, { n: is.calls_today, failed: is.failed_today })],
                [words.latency, is.median_ms === null ? null : `${is.median_ms} / ${is.p99_ms} ms`],
                [words.lastSuccess, moment(is.last_success_at, language)],
                [words.lastLook, moment(is.polled.invoices?.at, language)],
                [words.waitingDocuments, String(is.waiting_documents)],
                [words.waitingWrites, filled(words.writesOf, { n: is.waiting_writes, failed: is.failed_writes })],
              ]}
            />
            {is.quota ? <Meter label={words.quotaZoho} used={is.quota.limit - is.quota.left} limit={is.quota.limit} /> : null}
          </>
        )}
      </Shown>
    </Card>
  );
}

function Automation() {
  const { api } = usePage();
  const config = useLoad(() => api.get<Config>('/businesses/me/config'));
  return <Shown of={config}>{(is) => <AutomationForm is={is} onSaved={config.set} />}</Shown>;
}

const split = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

function AutomationForm({ is, onSaved }: { is: Config; onSaved(config: Config): void }) {
  const { words, api } = usePage();
  const { act, isBusy, message, isGood } = useAct();
  const [value, set] = useState({
    auto_seal: is.settings.auto_seal,
    write_back: is.settings.write_back,
    mail_after_seal: is.settings.mail_after_seal,
    prefixes: is.settings.exempt.number_prefixes.join('\n'),
    customers: is.settings.exempt.customer_ids.join('\n'),
    seal_fields: is.settings.seal_fields,
  });
  const save = () =>
    act(async () => {
      const { auto_seal, write_back, mail_after_seal, seal_fields } = value;
      const exempt = { ...is.settings.exempt, number_prefixes: split(value.prefixes), customer_ids: split(value.customers) };
      onSaved(
        await api.put<Config>('/businesses/me/config', { version: is.version, settings: { auto_seal, write_back, mail_after_seal, exempt, seal_fields } }),
      );
    }, words.saved);
  return (
    <Card title={words.automation}>
      <Form onSubmit={save} submit={words.save} isBusy={isBusy}>
        <Pick
          label={words.autoSeal}
          value={value.auto_seal}
          choices={[
            ['off', words.autoOff],
            ['approved', words.autoApproved],
            ['sent', words.autoSent],
          ]}
          onChange={(auto_seal) => set({ ...value, auto_seal: auto_seal as 'off' })}
        />
        {value.auto_seal === 'sent' && !value.mail_after_seal ? <p class="notice wait">{words.autoSentWarning}</p> : null}
        <Check label={words.writeBack} hint={words.writeBackHint} checked={value.write_back} onChange={(write_back) => set({ ...value, write_back })} />
        <Check
          label={words.mailAfter}
          hint={words.mailAfterHint}
          checked={value.mail_after_seal}
          onChange={(mail_after_seal) => set({ ...value, mail_after_seal })}
        />
        <Lines label={words.exemptPrefixes} hint={words.exemptHint} value={value.prefixes} onInput={(prefixes) => set({ ...value, prefixes })} />
        <Lines label={words.exemptCustomers} value={value.customers} onInput={(customers) => set({ ...value, customers })} />
        <details>
          <summary>{words.sealFields}</summary>
          {(Object.keys(value.seal_fields) as (keyof typeof value.seal_fields)[]).map((key) => (
            <Text
              key={key}
              label={words[`f_${key}` as keyof PageWords]}
              value={value.seal_fields[key]}
              onInput={(text) => set({ ...value, seal_fields: { ...value.seal_fields, [key]: text } })}
              required={false}
              hint="cf_…"
            />
          ))}
        </details>
        <Message text={message} isGood={isGood} />
      </Form>
    </Card>
  );
}

function Installation({ onChange }: { onChange(): void }) {
  const { words, api } = usePage();
  const plan = useLoad(() => api.get<Views['plan']>('/zoho/installation'));
  const { act, isBusy, message, isGood } = useAct();
  const send = (path: string) =>
    act(async () => {
      plan.set(await api.post<Views['plan']>(path));
      onChange();
    }, words.saved);
  return (
    <Card title={words.installation}>
      <p class="quiet">{words.installationNext}</p>
      <Message text={message} isGood={isGood} />
      <Shown of={plan}>
        {({ parts }) => (
          <>
            <ul class="plain">
              {parts.map((each) => (
                <li key={`${each.kind}/${each.name}`}>
                  <Tag {...(each.is_there ? { tone: 'good' as const } : {})}>{each.is_there ? words.isThere : words.wouldBeMade}</Tag>{' '}
                  {words[`part_${each.kind}` as keyof PageWords]} <bdi>{each.name}</bdi>
                </li>
              ))}
            </ul>
            <div class="row">
              {parts.every((each) => each.is_there) ? null : (
                <button type="button" class="button" disabled={isBusy} onClick={() => void send('/zoho/installation')}>
                  {words.install}
                </button>
              )}
              {parts.some((each) => each.is_there && each.kind !== 'field') ? (
                <button type="button" class="button plain" disabled={isBusy} onClick={() => void send('/zoho/installation/remove')}>
                  {words.uninstall}
                </button>
              ) : null}
            </div>
          </>
        )}
      </Shown>
    </Card>
  );
}

function Addresses() {
  const { words, api, language } = usePage();
  const hooks = useLoad(() => api.get<Views['hooks']>('/webhooks'));
  const { act, isBusy, message } = useAct();
  const [made, setMade] = useState<Views['newHook'] | null>(null);
  const [module, setModule] = useState('invoices');
  const make = (path: string, body: object = {}) =>
    act(async () => {
      setMade(await api.post<Views['newHook']>(path, body));
      hooks.reload();
    });
  const remove = (id: string) =>
    act(async () => {
      await api.post(`/webhooks/${id}/remove`);
      hooks.reload();
    });
  return (
    <Card title={words.addresses}>
      <p class="quiet">{words.addressesNext}</p>
      <Message text={message} />
      {made ? (
        <div class="notice good" role="status">
          <p>{words.addressOnce}</p>
          <FactList
            rows={[
              [words.addressUrl, made.url],
              [words.addressSecret, made.secret],
            ]}
          />
        </div>
      ) : null}
      <Shown of={hooks}>
        {({ webhooks }) => (
          <Table
            columns={[words.addressFor, words.prefix, words.lastDelivery, words.until, words.todo]}
            empty={words.none}
            rows={webhooks.map((each) => ({
              key: each.id,
              cells: [
                each.module === 'invoices' ? words.invoices : words.creditNotes,
                <code>{each.prefix}…</code>,
                moment(each.last_delivery_at, language),
                moment(each.ends_at, language),
                <>
                  <button type="button" class="button link" disabled={isBusy} onClick={() => void make(`/webhooks/${each.id}/rotate`)}>
                    {words.rotate}
                  </button>{' '}
                  <button type="button" class="button link" disabled={isBusy} onClick={() => void remove(each.id)}>
                    {words.remove}
                  </button>
                </>,
              ],
            }))}
          />
        )}
      </Shown>
      <Form onSubmit={() => make('/webhooks', { module })} submit={words.newAddress} isBusy={isBusy}>
        <Pick
          label={words.addressFor}
          value={module}
          choices={[
            ['invoices', words.invoices],
            ['creditnotes', words.creditNotes],
          ]}
          onChange={setModule}
        />
      </Form>
    </Card>
  );
}

const tones = {
  accepted: 'good',
  hint: 'wait',
  forged: 'bad',
  foreign: 'bad',
  malformed: 'bad',
  repeated: undefined,
  stale: undefined,
  ping: undefined,
} as const;

function Deliveries() {
  const { words, api, language } = usePage();
  const { act, isBusy, message } = useAct();
  const { first, rows, more } = usePages(async (cursor) => {
    const page = await api.get<Views['deliveries']>(`/webhooks/deliveries?limit=20${cursor ? `&cursor=${cursor}` : ''}`);
    return { rows: page.deliveries, next: page.next_cursor };
  });
  return (
    <Card title={words.deliveries}>
      <Message text={message} />
      <Shown of={first}>
        {() => (
          <>
            <Table
              columns={[words.when, words.verdict, words.document, words.origin]}
              empty={words.none}
              rows={rows.map((each) => {
                const tone = tones[each.verdict];
                return {
                  key: each.id,
                  cells: [
                    moment(each.at, language),
                    <Tag {...(tone ? { tone } : {})}>{words[`v_${each.verdict}` as keyof PageWords]}</Tag>,
                    each.document_id ?? '',
                    each.origin ?? '',
                  ],
                };
              })}
            />
            <More onClick={more && (() => void act(more))} isBusy={isBusy} />
          </>
        )}
      </Shown>
    </Card>
  );
}

const tellable = ['signed', 'refused', 'in_doubt', 'settled', 'opened', 'withdrawn'] as const;

/** Addresses of the business's own: who is told of what, and what came of it. */
function Subscribers() {
  const { words, api, language } = usePage();
  const list = useLoad(() => api.get<Views['subscribers']>('/subscribers'));
  const log = useLoad(() => api.get<Views['notices']>('/notices?limit=20'));
  const { act, isBusy, message } = useAct();
  const [made, setMade] = useState<Views['newSubscriber'] | null>(null);
  const [value, set] = useState<{ url: string; events: Set<string> }>({ url: '', events: new Set(['receipt.signed']) });
  const run = (work: () => Promise<unknown>) =>
    act(async () => {
      await work();
      list.reload();
      log.reload();
    });
  const toggle = (event: string, isOn: boolean) => {
    const events = new Set(value.events);
    if (isOn) events.add(event);
    else events.delete(event);
    set({ ...value, events });
  };
  const tones = { waiting: 'wait', delivered: 'good', failed: 'bad' } as const;
  return (
    <Card title={words.subscribers}>
      <p class="quiet">{words.subscribersNext}</p>
      <Message text={message} />
      {made ? (
        <div class="notice good" role="status">
          <p>{words.secretOnce}</p>
          <FactList
            rows={[
              [words.addressUrl, made.subscriber.url],
              [words.addressSecret, made.secret],
            ]}
          />
        </div>
      ) : null}
      <Shown of={list}>
        {({ subscribers }) => (
          <Table
            columns={[words.addressUrl, words.tellOf, words.todo]}
            empty={words.none}
            rows={subscribers.map((each) => ({
              key: each.id,
              cells: [
                <bdi>{each.url}</bdi>,
                each.events.map((event) => words[`e_${event.split('.')[1]}` as keyof PageWords]).join(', '),
                <>
                  <button
                    type="button"
                    class="button link"
                    disabled={isBusy}
                    onClick={() => void run(async () => setMade(await api.post<Views['newSubscriber']>(`/subscribers/${each.id}/rotate`)))}
                  >
                    {words.rotate}
                  </button>{' '}
                  <button type="button" class="button link" disabled={isBusy} onClick={() => void run(() => api.post(`/subscribers/${each.id}/remove`))}>
                    {words.remove}
                  </button>
                </>,
              ],
            }))}
          />
        )}
      </Shown>
      <Form
        onSubmit={() =>
          run(async () => {
            setMade(await api.post<Views['newSubscriber']>('/subscribers', { url: value.url, events: [...value.events] }));
            set({ ...value, url: '' });
          })
        }
        submit={words.addSubscriber}
        isBusy={isBusy}
      >
        <Text label={words.addressUrl} value={value.url} onInput={(url) => set({ ...value, url })} hint="https://…" />
        <fieldset>
          <legend>{words.tellOf}</legend>
          {tellable.map((each) => (
            <Check key={each} label={words[`e_${each}`]} checked={value.events.has(`receipt.${each}`)} onChange={(isOn) => toggle(`receipt.${each}`, isOn)} />
          ))}
        </fieldset>
      </Form>
      <Shown of={log}>
        {({ notices }) =>
          notices.length === 0 ? null : (
            <Table
              columns={[words.when, words.tellOf, words.state, words.todo]}
              empty={words.none}
              rows={notices.map((each) => ({
                key: each.id,
                cells: [
                  moment(each.created_at, language),
                  words[`e_${each.event.split('.')[1]}` as keyof PageWords],
                  <>
                    <Tag tone={tones[each.state]}>{words[`n_${each.state}`]}</Tag> <span class="quiet">{each.last_error ?? ''}</span>
                  </>,
                  <button type="button" class="button link" disabled={isBusy} onClick={() => void run(() => api.post(`/notices/${each.id}/replay`))}>
                    {words.sendAgain}
                  </button>,
                ],
              }))}
            />
          )
        }
      </Shown>
    </Card>
  );
}
