import { useState } from 'preact/hooks';
import type { Session, Views } from './api.ts';
import { moment, useAct, useLoad, usePage } from './page.ts';
import { Card, Form, Message, Pick, Shown, Table, Tag, Text } from './parts.tsx';
import { RecoveryCodes, SetUpFactor } from './sign-in.tsx';
import { filled } from './words.ts';

/**
 * One's own account: name, password, authenticator, sessions, sign-ins, and the business one works
 * for now.
 */
export function AccountPage({ onSession }: { onSession(session: Session): void }) {
  const { words, api, language } = usePage();
  const session = api.session as Session;
  const sessions = useLoad(() => api.get<Views['sessions']>('/auth/sessions'));
  const signIns = useLoad(() => api.get<Views['signIns']>('/auth/sign-ins'));
  const { act, isBusy, message } = useAct();
  return (
    <>
      <Profile />
      <Password />
      <FactorCard />
      <Switch onSession={onSession} />
      <Card title={words.sessions}>
        <Message text={message} />
        <button
          type="button"
          class="button plain"
          disabled={isBusy}
          onClick={() =>
            act(async () => {
              await api.post('/auth/sessions/end-others');
              sessions.reload();
            })
          }
        >
          {words.endOtherSessions}
        </button>
        <Shown of={sessions}>
          {(is) => (
            <Table
              columns={[words.business, words.origin, words.when, words.details]}
              empty={words.none}
              rows={is.sessions.map((each) => ({
                key: each.id,
                cells: [
                  <bdi>{each.business_name ?? ''}</bdi>,
                  <bdi>{each.address ?? ''}</bdi>,
                  moment(each.last_seen_at ?? each.created_at, language),
                  each.is_current ? (
                    <Tag tone="good">{words.thisSession}</Tag>
                  ) : (
                    <button
                      type="button"
                      class="button link"
                      disabled={isBusy}
                      onClick={() =>
                        act(async () => {
                          await api.post(`/auth/sessions/${each.id}/end`);
                          sessions.reload();
                        })
                      }
                    >
                      {words.endSession}
                    </button>
                  ),
                ],
              }))}
            />
          )}
        </Shown>
      </Card>
      <Card title={words.signIns}>
        <Shown of={signIns}>
          {(is) => (
            <Table
              columns={[words.when, words.origin, words.state]}
              empty={words.none}
              rows={is.sign_ins.slice(0, 30).map((each) => ({
                key: each.at,
                cells: [
                  moment(each.at, language),
                  <bdi>{each.address}</bdi>,
                  <Tag tone={each.succeeded ? 'good' : 'bad'}>
                    {each.succeeded ? words.succeeded : words.failedTry}
                  </Tag>,
                ],
              }))}
            />
          )}
        </Shown>
      </Card>
      <p class="quiet">
        <bdi>{session.person.username}</bdi>
      </p>
    </>
  );
}

function Profile() {
  const { words, api } = usePage();
  const { act, isBusy, message, isGood } = useAct();
  const profile = useLoad(() => api.get<Views['profile']>('/auth/profile'));
  const present = profile.data?.person.email ?? api.session?.person.email ?? '';
  const [value, set] = useState({
    name: api.session?.person.name ?? '',
    email: api.session?.person.email ?? '',
    current_password: '',
  });
  const isNewAddress = value.email.trim().toLowerCase() !== present;
  const save = () =>
    act(async () => {
      const { name, email, current_password } = value;
      const changed = await api.put<Views['profile']>('/auth/profile', {
        name,
        email,
        ...(isNewAddress ? { current_password } : {}),
      });
      if (api.session) api.keepSession({ ...api.session, person: changed.person });
      set({ name: changed.person.name, email: changed.person.email, current_password: '' });
      profile.set(changed);
    }, words.saved);
  const sendAgain = () => act(() => api.post('/auth/email/send'), words.emailSent);
  const { email_pending: pending, email_verified: isVerified } = profile.data ?? {
    email_pending: null,
    email_verified: true,
  };
  return (
    <Card title={words.profile}>
      <Form onSubmit={save} submit={words.save} isBusy={isBusy}>
        <div class="columns">
          <Text
            label={words.name}
            value={value.name}
            onInput={(name) => set({ ...value, name })}
            autocomplete="name"
          />
          <Text
            label={words.email}
            value={value.email}
            onInput={(email) => set({ ...value, email })}
            type="email"
            autocomplete="email"
          />
          {isNewAddress ? (
            <Text
              label={words.currentPassword}
              value={value.current_password}
              onInput={(current_password) => set({ ...value, current_password })}
              type="password"
              autocomplete="current-password"
              hint={words.emailChangeHint}
            />
          ) : null}
        </div>
        <Message text={message} isGood={isGood} />
      </Form>
      {pending || !isVerified ? (
        <div class="notice wait" role="status">
          <p>{pending ? filled(words.emailPending, { email: pending }) : words.emailUnconfirmed}</p>
          <button
            type="button"
            class="button plain"
            disabled={isBusy}
            onClick={() => void sendAgain()}
          >
            {words.emailSend}
          </button>
        </div>
      ) : null}
    </Card>
  );
}

function Password() {
  const { words, api } = usePage();
  const { act, isBusy, message, isGood } = useAct();
  const [value, set] = useState({ current_password: '', new_password: '' });
  return (
    <Card title={words.changePassword}>
      <Form
        onSubmit={() =>
          act(async () => {
            await api.post('/auth/password', value);
            set({ current_password: '', new_password: '' });
          }, words.saved)
        }
        submit={words.changePassword}
        isBusy={isBusy}
        kind="plain"
      >
        <div class="columns">
          <Text
            label={words.currentPassword}
            value={value.current_password}
            onInput={(current_password) => set({ ...value, current_password })}
            type="password"
            autocomplete="current-password"
          />
          <Text
            label={words.newPassword}
            value={value.new_password}
            onInput={(new_password) => set({ ...value, new_password })}
            type="password"
            autocomplete="new-password"
            hint={words.newPasswordHint}
          />
        </div>
        <Message text={message} isGood={isGood} />
      </Form>
    </Card>
  );
}

function FactorCard() {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [isOn, setOn] = useState(api.session?.second_factor !== 'none');
  const [password, setPassword] = useState('');
  const remove = () =>
    act(async () => {
      await api.post('/auth/totp/remove', { password });
      if (api.session) api.keepSession({ ...api.session, second_factor: 'none' });
      setOn(false);
    });
  return (
    <Card title={words.factor} {...(isOn ? {} : { tone: 'wait' as const })}>
      <p>{isOn ? words.factorOn : words.factorOff}</p>
      {isOn ? (
        <>
          <Kept />
          <details>
            <summary>{words.factorRemove}</summary>
            <Form onSubmit={remove} submit={words.factorRemove} isBusy={isBusy} kind="plain">
              <Text
                label={words.currentPassword}
                value={password}
                onInput={setPassword}
                type="password"
                autocomplete="current-password"
              />
              <Message text={message} />
            </Form>
          </details>
        </>
      ) : (
        <SetUpFactor onDone={() => setOn(true)} />
      )}
    </Card>
  );
}

/**
 * What stands beside the authenticator: recovery codes, and devices that are not asked at sign-in.
 */
function Kept() {
  const { words, api, language } = usePage();
  const { act, isBusy, message } = useAct();
  const factor = useLoad(() => api.get<Views['factor']>('/auth/second-factor'));
  const [codes, setCodes] = useState<string[]>([]);
  const renew = () =>
    act(async () =>
      setCodes((await api.post<Views['recoveryCodes']>('/auth/recovery-codes')).recovery_codes),
    );
  const forget = (id: string) =>
    act(async () => {
      await api.post(`/auth/devices/${id}/forget`);
      factor.reload();
    });
  if (codes.length > 0)
    return (
      <RecoveryCodes
        codes={codes}
        onDone={() => {
          setCodes([]);
          factor.reload();
        }}
      />
    );
  return (
    <>
      <Message text={message} />
      <Shown of={factor}>
        {(is) => (
          <>
            <p {...(is.recovery_codes_left < 3 ? { class: 'notice wait' } : {})}>
              {filled(words.recoveryCodesLeft, { n: is.recovery_codes_left })}{' '}
              <button
                type="button"
                class="button link"
                disabled={isBusy}
                onClick={() => void renew()}
              >
                {words.recoveryCodesRenew}
              </button>
            </p>
            <h3>{words.devicesRemembered}</h3>
            <Table
              columns={[words.origin, words.lastUsed, words.expires, words.details]}
              empty={words.none}
              rows={is.devices.map((each) => ({
                key: each.id,
                cells: [
                  <>
                    <bdi>{each.address ?? ''}</bdi>{' '}
                    <bdi class="quiet small">{each.user_agent?.slice(0, 80) ?? ''}</bdi>
                  </>,
                  moment(each.last_used_at, language),
                  moment(each.expires_at, language),
                  <button
                    type="button"
                    class="button link"
                    aria-label={`${words.deviceForget}: ${each.address ?? ''}`}
                    disabled={isBusy}
                    onClick={() => void forget(each.id)}
                  >
                    {words.deviceForget}
                  </button>,
                ],
              }))}
            />
          </>
        )}
      </Shown>
    </>
  );
}

function Switch({ onSession }: { onSession(session: Session): void }) {
  const { words, api } = usePage();
  const memberships = useLoad(() => api.get<Views['memberships']>('/auth/memberships'));
  const { act, isBusy, message } = useAct();
  const present = api.session?.business?.id ?? '';
  const [chosen, choose] = useState(present);
  const all = memberships.data?.memberships ?? [];
  if (all.length < 2) return null;
  return (
    <Card title={words.switchTo}>
      <Form
        onSubmit={() =>
          act(async () =>
            onSession(await api.post<Session>('/auth/switch', { business_id: chosen })),
          )
        }
        submit={words.switchTo}
        isBusy={isBusy}
        kind="plain"
      >
        <Pick
          label={words.business}
          value={chosen}
          choices={all.map((each) => [each.business_id, each.business_name])}
          onChange={choose}
        />
        <Message text={message} />
      </Form>
    </Card>
  );
}
