import { useEffect, useState } from 'preact/hooks';
import type { Views } from './api.ts';
import { makerText } from './maker.tsx';
import { Automation, Installation } from './automation.tsx';
import { LeaveOpen, unsettledOf } from './leave-open.tsx';
import { moment, useAct, useLoad, usePage } from './page.ts';
import {
  Card,
  Check,
  Dialog,
  FactList,
  Form,
  Message,
  Meter,
  Pick,
  Shown,
  Table,
  Tag,
  Text,
} from './parts.tsx';
import { Subscribers } from './subscribers.tsx';
import { Addresses, Deliveries } from './webhooks.tsx';
import { filled, type PageWords } from './words.ts';

type Consent = Views['consent'];

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
    <Card
      title={words.zoho}
      {...(is.status === 'needs_reconnecting' ? { tone: 'bad' as const } : {})}
    >
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
            <button
              type="button"
              class="button"
              disabled={isBusy}
              onClick={() => void disconnect()}
            >
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
              [words.connectedBy, makerText(connection.made_by, words)],
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
  const [value, set] = useState({
    data_centre: centres[0] ?? 'com',
    writes: true,
    installs: true,
    client_id: '',
    client_secret: '',
  });
  const connect = () =>
    act(async () => {
      const { data_centre, client_id, client_secret } = value;
      const abilities = [
        'read',
        ...(value.writes ? ['write_back'] : []),
        ...(value.installs ? ['install'] : []),
      ];
      const reply = await api.post<Views['consentUrl']>('/oauth/connect', {
        data_centre,
        abilities,
        ...(client_id ? { client_id, client_secret } : {}),
      });
      location.assign(reply.consent_url);
    });
  return (
    <Form
      onSubmit={connect}
      submit={isAgain ? words.connectAgain : words.connectZoho}
      isBusy={isBusy}
    >
      <p class="quiet">{words.connectNext}</p>
      <Pick
        label={words.dataCentre}
        value={value.data_centre}
        choices={centres.map((each) => [each, each.includes('/') ? each : `zoho.${each}`])}
        onChange={(data_centre) => set({ ...value, data_centre })}
      />
      <Check
        label={words.abilityWrite}
        checked={value.writes}
        onChange={(writes) => set({ ...value, writes })}
      />
      <Check
        label={words.abilityInstall}
        checked={value.installs}
        onChange={(installs) => set({ ...value, installs })}
      />
      <details>
        <summary>{words.ownClient}</summary>
        <Text
          label={words.clientId}
          value={value.client_id}
          onInput={(client_id) => set({ ...value, client_id })}
          required={false}
        />
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

/**
 * Back from Zoho: what came behind the `#` is given to the server by the session that began it,
 * once.
 */
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
    const given = Object.fromEntries(
      new URLSearchParams(atob(query.replaceAll('-', '+').replaceAll('_', '/'))),
    );
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
  // A business that is connected already is disconnected first: no click moves a taxpayer's
  // invoices to another organization.
  const free = is.businesses.filter((each) => each.organization_id === null);
  const nameOf = (id: string | null) =>
    is.businesses.find((each) => each.business_id === id)?.business_name ?? '';
  const [unsettled, ask] = useState<{
    organization_id: string;
    business_id: string;
    leave_open: number;
  } | null>(null);
  const bind = (to: { organization_id: string; business_id: string; leave_open?: number }) =>
    act(async () => {
      ask(null);
      try {
        set(await api.post<Consent>(`/oauth/consents/${is.id}/connections`, to));
      } catch (error) {
        const leave_open = unsettledOf(error);
        if (leave_open !== null) ask({ ...to, leave_open });
        throw error;
      }
    }, words.saved);
  return (
    <Card title={words.mapOrganizations}>
      <p class="quiet">{words.mapOrganizationsNext}</p>
      <Message text={message} isGood={isGood} />
      {unsettled ? (
        <LeaveOpen
          count={unsettled.leave_open}
          isBusy={isBusy}
          onLeave={() => void bind(unsettled)}
          onCancel={() => ask(null)}
        />
      ) : null}
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
                onChange={(business_id) =>
                  choose({ ...chosen, [each.organization_id]: business_id })
                }
              />
            ),
            each.business_id || free.length === 0 ? null : (
              <button
                type="button"
                class="button plain"
                disabled={isBusy || each.role !== 'admin'}
                onClick={() =>
                  void bind({
                    organization_id: each.organization_id,
                    business_id: chosen[each.organization_id] ?? free[0]?.business_id ?? '',
                  })
                }
              >
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
  const [looked, setLooked] = useState<Views['looked'] | null>(null);
  const look = () =>
    act(async () => {
      setLooked(null);
      setLooked(await api.post<Views['looked']>('/zoho/poll'));
      health.reload();
    });
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
      {/* That it was asked for does not say that it was done: each kind of document says for itself what came of it. */}
      <div role="status">
        {looked?.modules.map(({ module, outcome, changed, problem }) => (
          <p class={`notice ${problem ? 'bad' : 'good'}`} key={module}>
            <strong>{module === 'invoices' ? words.invoices : words.creditNotes}</strong>{' '}
            {outcome === 'looked' ? filled(words.looked, { n: changed }) : words.notLookedThrough}{' '}
            {problem ? `${problem.title} ${problem.detail}` : ''}
          </p>
        ))}
      </div>
      <Shown of={health}>
        {(is) => (
          <>
            {Object.entries(is.polled).map(([module, each]) =>
              // What fails at the moment stands below with how often and since when.
              each.problem && !is.failing.some((one) => one.job === `poll.${module}`) ? (
                <p class="notice bad" key={module}>
                  {each.problem.title} {each.problem.detail}
                </p>
              ) : null,
            )}
            {is.failing.map((each) => (
              <p class="notice bad" key={each.job}>
                <strong>
                  {words[`job_${each.job.split('.')[0]}` as keyof PageWords] ?? each.job}
                </strong>{' '}
                {filled(words.failsSince, {
                  n: each.failures,
                  since: moment(each.since, language),
                })}{' '}
                {each.problem.title} {each.problem.detail}
              </p>
            ))}
            <FactList
              rows={[
                [
                  words.callsToday,
                  filled(words.callsOf, { n: is.calls_today, failed: is.failed_today }),
                ],
                [words.latency, is.median_ms === null ? null : `${is.median_ms} / ${is.p99_ms} ms`],
                [words.lastSuccess, moment(is.last_success_at, language)],
                [words.lastLook, moment(is.polled.invoices?.at, language)],
                [words.waitingDocuments, String(is.waiting_documents)],
                [
                  words.waitingWrites,
                  filled(words.writesOf, { n: is.waiting_writes, failed: is.failed_writes }),
                ],
              ]}
            />
            {is.quota ? (
              <Meter
                label={words.quotaZoho}
                used={is.quota.limit - is.quota.left}
                limit={is.quota.limit}
              />
            ) : null}
          </>
        )}
      </Shown>
    </Card>
  );
}
