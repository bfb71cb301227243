import { useState } from 'preact/hooks';
import { ActivityPage } from './activity.tsx';
import type { Views } from './api.ts';
import { moment, money, useAct, useLoad, usePage, usePages } from './page.ts';
import { Card, Form, Message, More, Pick, Shown, Table, Tag, Text } from './parts.tsx';
import { AddressChanges, PeopleOfBusiness } from './operators.tsx';
import { WaysBack } from './ways-back.tsx';
import { filled } from './words.ts';

type Listed = Views['businesses']['businesses'][number];
type Status = Listed['status'];
const tones = { pending: 'wait', active: 'good', suspended: 'bad', closed: undefined } as const;

/** Every business with its health; found, paged, registered. */
export function BusinessesPage() {
  const { words, api, language } = usePage();
  const [search, setSearch] = useState('');
  const [status, setStatus] = useState('');
  const { act, isBusy, message } = useAct();
  const filter = `${search ? `&search=${encodeURIComponent(search)}` : ''}${status ? `&status=${status}` : ''}`;
  const { first, rows, more } = usePages(
    async (cursor) => {
      const page = await api.get<Views['businesses']>(
        `/businesses?limit=25${filter}${cursor ? `&cursor=${cursor}` : ''}`,
      );
      return { rows: page.businesses, next: page.next_cursor };
    },
    [filter],
  );
  const statuses: [string, string][] = [
    ['', words.allBusinesses],
    ...(['pending', 'active', 'suspended', 'closed'] as const).map((each): [string, string] => [
      each,
      words[`s_${each}`],
    ]),
  ];
  return (
    <>
      <Totals />
      <Card title={words.businesses}>
        <div class="row">
          <Text
            label={words.search}
            value={search}
            onInput={setSearch}
            type="search"
            required={false}
          />
          <Pick label={words.state} value={status} choices={statuses} onChange={setStatus} />
        </div>
        <Message text={message} />
        <Shown of={first}>
          {() => (
            <>
              <Table
                columns={[words.businessName, words.tin, words.state, words.signed, words.alerts]}
                empty={words.none}
                rows={rows.map((each) => ({
                  key: each.id,
                  cells: [
                    <a href={`#/business/${each.id}`}>
                      <bdi>{each.business_name}</bdi>
                    </a>,
                    <bdi>{each.tin_number}</bdi>,
                    <Tag tone={tones[each.status]}>{words[`s_${each.status}`]}</Tag>,
                    each.totals ? String(each.totals.signed) : '',
                    each.totals ? <Health totals={each.totals} /> : '',
                  ],
                }))}
              />
              <More onClick={more && (() => void act(more))} isBusy={isBusy} />
            </>
          )}
        </Shown>
      </Card>
      <Register onDone={first.reload} />
    </>
  );

  function Health({ totals }: { totals: NonNullable<Listed['totals']> }) {
    const bad = [
      totals.alerts > 0 ? `${words.alerts}: ${totals.alerts}` : '',
      totals.zoho.status === 'needs_reconnecting' ? words.reconnect : '',
      totals.zoho.failed > totals.zoho.calls / 10
        ? filled(words.zohoFailing, { n: totals.zoho.failed, of: totals.zoho.calls })
        : '',
      totals.in_doubt > 0 ? `${words.inDoubt}: ${totals.in_doubt}` : '',
      totals.devices_paused > 0 ? `${words.devices} ${words.paused}: ${totals.devices_paused}` : '',
      totals.oldest_unsigned_at
        ? `${words.oldest}: ${moment(totals.oldest_unsigned_at, language)}`
        : '',
    ].filter(Boolean);
    return bad.length > 0 ? <Tag tone="wait">{bad.join(' · ')}</Tag> : <Tag tone="good">✓</Tag>;
  }
}

function Totals() {
  const { words, api, language } = usePage();
  const totals = useLoad(() => api.get<Views['totals']>('/platform/totals'));
  return (
    <Card title={words.platform}>
      <Shown of={totals}>
        {(is) => (
          <>
            <dl class="numbers">
              {[
                [
                  words.businesses,
                  Object.values(is.businesses).reduce((sum, each) => sum + each, 0),
                ],
                [words.signed, is.signed],
                [words.queued, is.queued],
                [words.inDoubt, is.in_doubt],
                [words.alerts, is.alerts],
                [words.reconnect, is.zoho.needs_reconnecting ?? 0],
                [words.attemptsToday, is.attempts_today],
              ].map(([name, value]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
            {is.updated_at ? (
              <p class="quiet">
                {filled(words.counted, { time: moment(is.updated_at, language) })}
              </p>
            ) : null}
          </>
        )}
      </Shown>
    </Card>
  );
}

const empty = {
  business_name: '',
  tin_number: '',
  email: '',
  location: '',
  phone_number: '',
  admin_email: '',
};

function Register({ onDone }: { onDone(): void }) {
  const { words, api } = usePage();
  const { act, isBusy, message, isGood } = useAct();
  const [value, set] = useState(empty);
  const [invited, setInvited] = useState<Views['registered']['invitation'] | null>(null);
  const field = (key: keyof typeof empty) => (text: string) => set({ ...value, [key]: text });
  const register = () =>
    act(async () => {
      setInvited((await api.post<Views['registered']>('/businesses', value)).invitation);
      set(empty);
      onDone();
    });
  return (
    <Card title={words.register}>
      {invited ? (
        <p class={invited.is_mailed ? 'notice good' : 'notice'} role="status">
          {filled(invited.is_mailed ? words.registered : words.registeredUnmailed, {
            email: invited.email,
          })}
        </p>
      ) : null}
      <Form onSubmit={register} submit={words.register} isBusy={isBusy}>
        <div class="columns">
          <Text
            label={words.businessName}
            value={value.business_name}
            onInput={field('business_name')}
          />
          <Text label={words.tin} value={value.tin_number} onInput={field('tin_number')} />
          <Text label={words.email} value={value.email} onInput={field('email')} type="email" />
          <Text label={words.location} value={value.location} onInput={field('location')} />
          <Text
            label={words.phone}
            value={value.phone_number}
            onInput={field('phone_number')}
            mode="tel"
          />
          <Text
            label={words.adminEmail}
            value={value.admin_email}
            onInput={field('admin_email')}
            type="email"
          />
        </div>
        <Message text={message} isGood={isGood} />
      </Form>
    </Card>
  );
}

/** One business: what may be changed from outside, and a support access with its reason. */
export function BusinessDetail({ id }: { id: string }) {
  const { words, api } = usePage();
  const business = useLoad(() => api.get<Views['business']>(`/businesses/${id}`), [id]);
  return (
    <>
      <p>
        <a href="#/businesses">{words.businesses}</a>
      </p>
      <Shown of={business}>
        {(is) => (
          <>
            <Change is={is} onChange={business.set} />
            <StatusCard key={`${is.version}s`} is={is} onChange={business.set} />
            <WaysBack businessId={id} />
            <PeopleOfBusiness id={id} />
            <AddressChanges id={id} />
            <InviteAdmin id={id} />
            <Support id={id} />
            <ActivityPage path={`/businesses/${id}/trail`} isOwn={false} />
          </>
        )}
      </Shown>
    </>
  );
}

type One = { is: Views['business']; onChange(is: Views['business']): void };

function Change({ is, onChange }: One) {
  const { words, api } = usePage();
  const { act, isBusy, message, isGood } = useAct();
  const { business_name, email, location, tin_number, phone_number, vat_registered, version } = is;
  const [value, set] = useState({ business_name, email, location, tin_number, phone_number });
  const field = (key: keyof typeof value) => (text: string) => set({ ...value, [key]: text });
  return (
    <Card
      title={is.business_name}
      actions={<Tag tone={tones[is.status]}>{words[`s_${is.status}`]}</Tag>}
    >
      <Form
        onSubmit={() =>
          act(
            async () =>
              onChange(
                await api.put<Views['business']>(`/businesses/${is.id}`, {
                  ...value,
                  vat_registered,
                  version,
                }),
              ),
            words.saved,
          )
        }
        submit={words.save}
        isBusy={isBusy}
      >
        <div class="columns">
          <Text
            label={words.businessName}
            value={value.business_name}
            onInput={field('business_name')}
          />
          <Text label={words.tin} value={value.tin_number} onInput={field('tin_number')} />
          <Text label={words.email} value={value.email} onInput={field('email')} type="email" />
          <Text label={words.location} value={value.location} onInput={field('location')} />
          <Text
            label={words.phone}
            value={value.phone_number}
            onInput={field('phone_number')}
            mode="tel"
          />
        </div>
        <Message text={message} isGood={isGood} />
      </Form>
    </Card>
  );
}

function StatusCard({ is, onChange }: One) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const set = (path: 'activate' | 'deactivate' | 'close') =>
    act(async () =>
      onChange(
        await api.put<Views['business']>(`/businesses/${is.id}/${path}`, reason ? { reason } : {}),
      ),
    );
  const isOpen: Record<Status, boolean> = {
    pending: true,
    active: true,
    suspended: true,
    closed: false,
  };
  if (!isOpen[is.status]) return null;
  return (
    <Card title={words.state}>
      <Text label={words.reason} value={reason} onInput={setReason} required={false} />
      <Message text={message} />
      <div class="actions">
        {is.status === 'active' ? null : (
          <button
            type="button"
            class="button main"
            disabled={isBusy}
            onClick={() => void set('activate')}
          >
            {words.activate}
          </button>
        )}
        {is.status === 'suspended' ? null : (
          <button
            type="button"
            class="button plain"
            disabled={isBusy}
            onClick={() => void set('deactivate')}
          >
            {words.deactivate}
          </button>
        )}
      </div>
      <details>
        <summary>{words.closeForGood}</summary>
        <Text label={words.closeSure} value={typed} onInput={setTyped} required={false} />
        <button
          type="button"
          class="button plain"
          disabled={isBusy || typed !== is.tin_number}
          onClick={() => void set('close')}
        >
          {words.closeForGood}
        </button>
      </details>
    </Card>
  );
}

function InviteAdmin({ id }: { id: string }) {
  const { words, api } = usePage();
  const { act, isBusy, message, isGood } = useAct();
  const [email, setEmail] = useState('');
  return (
    <Card title={words.inviteAdmin}>
      <Form
        onSubmit={() =>
          act(() => api.post(`/businesses/${id}/invitations`, { email }), words.saved)
        }
        submit={words.invite}
        isBusy={isBusy}
        kind="plain"
      >
        <Text label={words.email} value={email} onInput={setEmail} type="email" />
        <Message text={message} isGood={isGood} />
      </Form>
    </Card>
  );
}

function Support({ id }: { id: string }) {
  const { words, api, language } = usePage();
  const states = {
    signed: words.signed,
    refused: words.refused,
    in_doubt: words.inDoubt,
    queued: words.queued,
    withdrawn: words.withdrawn,
  };
  const { act, isBusy, message } = useAct();
  const [reason, setReason] = useState('');
  const [minutes, setMinutes] = useState('30');
  const [until, setUntil] = useState('');
  const [receipts, setReceipts] = useState<Views['receipts']['receipts']>([]);
  const begin = () =>
    act(async () => {
      const access = await api.post<Views['support']['support_access'][number]>(
        `/businesses/${id}/support-access`,
        { reason, minutes: Number(minutes) },
      );
      setUntil(access.until);
      setReceipts(
        (await api.get<Views['receipts']>(`/businesses/${id}/receipts?limit=25`)).receipts,
      );
    });
  const end = () =>
    act(async () => {
      await api.post(`/businesses/${id}/support-access/end`);
      setUntil('');
      setReceipts([]);
    });
  return (
    <Card title={words.support}>
      <p class="quiet">{words.supportNext}</p>
      <Message text={message} />
      {until ? (
        <>
          <p role="status">{filled(words.supportOpen, { time: moment(until, language) })}</p>
          <button type="button" class="button plain" disabled={isBusy} onClick={() => void end()}>
            {words.endSession}
          </button>
          <Table
            columns={[words.document, words.total, words.state, words.when]}
            empty={words.none}
            rows={receipts.map((each) => ({
              key: each.id,
              cells: [
                <bdi>{each.document_number}</bdi>,
                <bdi>{money(each.totals.total, language)}</bdi>,
                states[each.state],
                moment(each.updated_at, language),
              ],
            }))}
          />
        </>
      ) : (
        <Form onSubmit={begin} submit={words.begin} isBusy={isBusy} kind="plain">
          <div class="columns">
            <Text label={words.reason} value={reason} onInput={setReason} />
            <Text
              label={words.minutes}
              value={minutes}
              onInput={setMinutes}
              type="number"
              mode="numeric"
            />
          </div>
        </Form>
      )}
    </Card>
  );
}

/** Who asked for what is another's. */
export function AttemptsPage() {
  const { words, api, language } = usePage();
  const attempts = useLoad(() => api.get<Views['attempts']>('/platform/attempts?limit=100'));
  return (
    <Card title={words.attempts}>
      <p class="quiet">{words.attemptsNext}</p>
      <Shown of={attempts}>
        {(is) => (
          <Table
            columns={[
              words.when,
              words.business,
              words.actor,
              words.action,
              words.asked,
              words.origin,
            ]}
            empty={words.none}
            rows={is.attempts.map((each) => ({
              key: each.id,
              cells: [
                moment(each.at, language),
                <a href={`#/business/${each.business_id}`}>
                  <bdi class="small">{each.business_id}</bdi>
                </a>,
                <bdi class="small">{each.actor}</bdi>,
                <bdi>{each.route}</bdi>,
                <bdi class="small">{each.asked}</bdi>,
                <bdi>{each.origin ?? ''}</bdi>,
              ],
            }))}
          />
        )}
      </Shown>
    </Card>
  );
}
