import { useState } from 'preact/hooks';
import type { Session, Views } from './api.ts';
import { moment, useAct, useLoad, usePage } from './page.ts';
import { Card, Form, Message, Pick, Shown, Table, Tag, Text } from './parts.tsx';
import { SetUpFactor } from './sign-in.tsx';

/** One's own account: name, password, authenticator, sessions, sign-ins, and the business one works for now. */
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
                  <Tag tone={each.succeeded ? 'good' : 'bad'}>{each.succeeded ? words.succeeded : words.failedTry}</Tag>,
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
  const [value, set] = useState({ name: api.session?.person.name ?? '', email: api.session?.person.email ?? '' });
  const save = () =>
    act(async () => {
      const { person } = await api.put<{ person: Session['person'] }>('/auth/profile', value);
      if (api.session) api.keepSession({ ...api.session, person });
    }, words.saved);
  return (
    <Card title={words.profile}>
      <Form onSubmit={save} submit={words.save} isBusy={isBusy}>
        <div class="columns">
          <Text label={words.name} value={value.name} onInput={(name) => set({ ...value, name })} autocomplete="name" />
          <Text label={words.email} value={value.email} onInput={(email) => set({ ...value, email })} type="email" autocomplete="email" />
        </div>
        <Message text={message} isGood={isGood} />
      </Form>
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
        <details>
          <summary>{words.factorRemove}</summary>
          <Form onSubmit={remove} submit={words.factorRemove} isBusy={isBusy} kind="plain">
            <Text label={words.currentPassword} value={password} onInput={setPassword} type="password" autocomplete="current-password" />
            <Message text={message} />
          </Form>
        </details>
      ) : (
        <SetUpFactor onDone={() => setOn(true)} />
      )}
    </Card>
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
        onSubmit={() => act(async () => onSession(await api.post<Session>('/auth/switch', { business_id: chosen })))}
        submit={words.switchTo}
        isBusy={isBusy}
        kind="plain"
      >
        <Pick label={words.business} value={chosen} choices={all.map((each) => [each.business_id, each.business_name])} onChange={choose} />
        <Message text={message} />
      </Form>
    </Card>
  );
}
