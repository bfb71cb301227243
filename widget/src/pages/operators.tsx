import { useState } from 'preact/hooks';
import type { Session, Views } from './api.ts';
import { moment, useAct, useLoad, usePage } from './page.ts';
import { Card, Form, Message, Pick, Shown, Table, Tag, Text } from './parts.tsx';
import { filled } from './words.ts';

/** Who operates the platform; another is invited by mail, and the last one stays. */
export function OperatorsPage() {
  const { words, api, language } = usePage();
  const operators = useLoad(() => api.get<Views['operators']>('/platform/operators'));
  const ending = useAct();
  const inviting = useAct();
  const [email, setEmail] = useState('');
  const end = (id: string) =>
    ending.act(async () => {
      await api.post(`/platform/operators/${id}/end`);
      operators.reload();
    });
  const invite = () =>
    inviting.act(async () => {
      await api.post('/platform/operators', { email });
      setEmail('');
    }, words.operatorInvited);
  return (
    <>
      <Card title={words.operators}>
        <Message text={ending.message} />
        <Shown of={operators}>
          {(is) => (
            <Table
              columns={[words.name, words.email, words.lastSignIn, words.state, words.details]}
              empty={words.none}
              rows={is.operators.map((each) => ({
                key: each.id,
                cells: [
                  <>
                    <bdi>{each.name}</bdi> <bdi class="quiet small">{each.username}</bdi>
                  </>,
                  <bdi>{each.email}</bdi>,
                  moment(each.last_sign_in_at, language),
                  each.has_second_factor ? (
                    <Tag tone="good">{words.withFactor}</Tag>
                  ) : (
                    <Tag tone="wait">{words.factorOff}</Tag>
                  ),
                  each.is_self ? (
                    <Tag>{words.thisSession}</Tag>
                  ) : (
                    <button
                      type="button"
                      class="button link"
                      aria-label={`${words.end}: ${each.name}`}
                      disabled={ending.isBusy}
                      onClick={() => void end(each.id)}
                    >
                      {words.end}
                    </button>
                  ),
                ],
              }))}
            />
          )}
        </Shown>
      </Card>
      <Card title={words.inviteOperator}>
        <Form onSubmit={invite} submit={words.invite} isBusy={inviting.isBusy}>
          <Text label={words.email} value={email} onInput={setEmail} type="email" />
          <Message text={inviting.message} isGood={inviting.isGood} />
        </Form>
      </Card>
    </>
  );
}

/** Another operator, by the link that one was mailed. */
export function AcceptOperator({
  token,
  onDone,
}: {
  token: string;
  onDone(session: Session): void;
}) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [value, setValue] = useState({ username: '', name: '', password: '' });
  const set = (key: keyof typeof value) => (text: string) => setValue({ ...value, [key]: text });
  return (
    <Card title={words.firstOperator}>
      <Form
        onSubmit={() =>
          act(async () =>
            onDone(
              await api.post<Session>('/auth/operator-invitation/accept', { token, ...value }),
            ),
          )
        }
        submit={words.create}
        isBusy={isBusy}
      >
        <Text
          label={words.username}
          value={value.username}
          onInput={set('username')}
          autocomplete="username"
        />
        <Text label={words.name} value={value.name} onInput={set('name')} autocomplete="name" />
        <Text
          label={words.password}
          value={value.password}
          onInput={set('password')}
          type="password"
          autocomplete="new-password"
          hint={words.newPasswordHint}
        />
        <Message text={message} />
      </Form>
    </Card>
  );
}

/**
 * The people of one business: read when asked for, since that they were looked at stands in the
 * business's activity.
 */
export function PeopleOfBusiness({ id }: { id: string }) {
  const { words } = usePage();
  const [isShown, show] = useState(false);
  return (
    <Card title={words.people}>
      {isShown ? (
        <Listed id={id} />
      ) : (
        <>
          <p class="quiet">{words.peopleOfBusinessNext}</p>
          <button type="button" class="button plain" onClick={() => show(true)}>
            {words.peopleShow}
          </button>
        </>
      )}
    </Card>
  );
}

function Listed({ id }: { id: string }) {
  const { words, api, language } = usePage();
  const people = useLoad(
    () => api.get<Views['peopleOfBusiness']>(`/businesses/${id}/people`),
    [id],
  );
  const { act, isBusy, message } = useAct();
  const [reason, setReason] = useState('');
  const set = (personId: string, to: 'block' | 'unblock') =>
    act(async () => {
      await api.post(`/businesses/${id}/people/${to}`, { person_id: personId, reason });
      setReason('');
      people.reload();
    });
  const tones = { active: 'good', blocked: 'bad', ended: undefined } as const;
  const states = { active: words.s_active, blocked: words.blocked, ended: words.ended };
  return (
    <>
      <Message text={message} />
      <Shown of={people}>
        {(is) => (
          <>
            <Text
              label={words.reason}
              value={reason}
              onInput={setReason}
              required={false}
              hint={words.blockHint}
            />
            <Table
              columns={[
                words.name,
                words.role,
                words.lastSignIn,
                words.keys,
                words.state,
                words.details,
              ]}
              empty={words.none}
              rows={is.people.map((each) => ({
                key: each.person_id,
                cells: [
                  <bdi>{each.name}</bdi>,
                  words[`role_${each.role}`],
                  moment(each.last_sign_in_at, language),
                  each.api_keys || '',
                  <Tag tone={tones[each.status]}>{states[each.status]}</Tag>,
                  each.status === 'ended' ? (
                    ''
                  ) : (
                    <button
                      type="button"
                      class="button link"
                      aria-label={`${each.status === 'blocked' ? words.unblock : words.block}: ${each.name}`}
                      disabled={isBusy || reason.trim() === ''}
                      onClick={() =>
                        void set(each.person_id, each.status === 'blocked' ? 'unblock' : 'block')
                      }
                    >
                      {each.status === 'blocked' ? words.unblock : words.block}
                    </button>
                  ),
                ],
              }))}
            />
          </>
        )}
      </Shown>
    </>
  );
}

/**
 * Another address for the only admin of a business: who asks for it says why, and somebody else
 * puts it in force.
 */
export function AddressChanges({ id }: { id: string }) {
  const { words, api, language } = usePage();
  const path = `/businesses/${id}/address-changes`;
  const open = useLoad(() => api.get<Views['addressChanges']>(path), [path]);
  const { act, isBusy, message, isGood } = useAct();
  const [people, setPeople] = useState<Views['peopleOfBusiness']['people'] | null>(null);
  const [value, set] = useState({ person_id: '', email: '', reason: '' });
  const show = () =>
    act(async () => {
      const found = (await api.get<Views['peopleOfBusiness']>(`/businesses/${id}/people`)).people;
      const admins = found.filter(
        (each) => each.role === 'business_admin' && each.status === 'active',
      );
      setPeople(admins);
      set({ ...value, person_id: admins[0]?.person_id ?? '' });
    });
  const ask = () =>
    act(async () => {
      await api.post(path, value);
      setPeople(null);
      set({ person_id: '', email: '', reason: '' });
      open.reload();
    }, words.addressChangeAsked);
  const apply = (changeId: string) =>
    act(async () => {
      await api.post(`${path}/apply`, { address_change_id: changeId });
      open.reload();
    }, words.addressChangeApplied);
  return (
    <Card title={words.addressChanges}>
      <p class="quiet">{words.addressChangesNext}</p>
      <Message text={message} isGood={isGood} />
      <Shown of={open}>
        {(is) =>
          is.address_changes.length === 0 ? null : (
            <Table
              columns={[words.name, words.email, words.reason, words.details]}
              empty={words.none}
              rows={is.address_changes.map((each) => ({
                key: each.id,
                cells: [
                  <bdi>{each.name}</bdi>,
                  <bdi>{each.email}</bdi>,
                  <bdi>{each.reason}</bdi>,
                  decide(each),
                ],
              }))}
            />
          )
        }
      </Shown>
      {people ? (
        <Form onSubmit={ask} submit={words.addressChangeAsk} isBusy={isBusy}>
          <div class="columns">
            <Pick
              label={words.name}
              value={value.person_id}
              choices={people.map((each) => [each.person_id, each.name])}
              onChange={(person_id) => set({ ...value, person_id })}
            />
            <Text
              label={words.email}
              value={value.email}
              onInput={(email) => set({ ...value, email })}
              type="email"
            />
            <Text
              label={words.reason}
              value={value.reason}
              onInput={(reason) => set({ ...value, reason })}
            />
          </div>
        </Form>
      ) : (
        <button type="button" class="button plain" disabled={isBusy} onClick={() => void show()}>
          {words.addressChangeAsk}
        </button>
      )}
    </Card>
  );

  function decide(each: Views['addressChanges']['address_changes'][number]) {
    if (new Date(each.operator_from) > new Date())
      return (
        <span class="quiet">
          {filled(words.wayBackFrom, { time: moment(each.operator_from, language) })}
        </span>
      );
    if (each.needs_another_operator) return <span class="quiet">{words.addressChangeOther}</span>;
    return (
      <button
        type="button"
        class="button plain"
        disabled={isBusy}
        onClick={() => void apply(each.id)}
      >
        {words.addressChangeApply}
      </button>
    );
  }
}
