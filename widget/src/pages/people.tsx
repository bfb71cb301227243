import { grantable, scopes } from '@muhuri/shared/permissions';
import { useState } from 'preact/hooks';
import type { Views } from './api.ts';
import { moment, useAct, useLoad, usePage } from './page.ts';
import { Card, Check, Form, Message, Pick, Shown, Table, Tag, Text } from './parts.tsx';
import { WaysBack } from './ways-back.tsx';

// There is nothing to synchronise yet, so nobody is offered the right to.
const singles = grantable.filter((each) => each !== 'sync');
const keyScopes = scopes.filter((each) => each !== 'sync');

type Member = Views['people']['people'][number];
type Role = 'business_admin' | 'business_user';

function useRoles(): [string, string][] {
  const { words } = usePage();
  return [
    ['business_user', words.role_business_user],
    ['business_admin', words.role_business_admin],
  ];
}

function Singles({ value, onChange }: { value: string[]; onChange(value: string[]): void }) {
  const { words } = usePage();
  return (
    <fieldset>
      <legend>{words.permissions}</legend>
      {singles.map((each) => (
        <Check
          key={each}
          label={words[`p_${each}`]}
          checked={value.includes(each)}
          onChange={(isOn) =>
            onChange(isOn ? [...value, each] : value.filter((other) => other !== each))
          }
        />
      ))}
    </fieldset>
  );
}

/** Who works for the business, and who is asked to. */
export function PeoplePage() {
  const { words, api, language } = usePage();
  const people = useLoad(() => api.get<Views['people']>('/people'));
  const invitations = useLoad(() => api.get<Views['invitations']>('/invitations'));
  const [changing, change] = useState<string | null>(null);
  const keys = useLoad(() => api.get<Views['keys']>('/api-keys'));
  const [ending, beginToEnd] = useState<string | null>(null);
  const { act, isBusy, message } = useAct();
  const keysOf = (personId: string) => keysMadeBy(keys.data?.api_keys ?? [], personId);
  const end = (id: string, keep: string[]) =>
    act(async () => {
      await api.post(`/people/${id}/end`, { keep_api_keys: keep });
      beginToEnd(null);
      people.reload();
      keys.reload();
    });
  const tones = { open: 'wait', accepted: 'good', withdrawn: undefined, expired: 'bad' } as const;
  return (
    <>
      <WaysBack />
      <Card title={words.people}>
        <Message text={message} />
        <Shown of={people}>
          {({ people: all }) => (
            <Table
              columns={[words.name, words.username, words.role, words.state, words.details]}
              empty={words.none}
              rows={all.map((each) => ({
                key: each.id,
                cells: [
                  <bdi>{each.name}</bdi>,
                  <bdi>{each.username}</bdi>,
                  <>
                    {words[`role_${each.role}`]}
                    {each.permissions.length > 0 ? (
                      <span class="quiet">
                        {each.permissions
                          .map((one) => words[`p_${one}` as 'p_settle'] ?? one)
                          .join(', ')}
                      </span>
                    ) : null}
                  </>,
                  each.status === 'ended' ? (
                    <Tag>{words.ended}</Tag>
                  ) : (
                    <>
                      {each.is_blocked ? <Tag tone="bad">{words.blocked}</Tag> : null}{' '}
                      {each.has_zoho_user ? <Tag>{words.withZoho}</Tag> : null}{' '}
                      {each.has_second_factor ? <Tag tone="good">{words.withFactor}</Tag> : null}
                    </>
                  ),
                  each.status === 'ended' ? (
                    ''
                  ) : changing === each.id ? (
                    <MemberForm
                      member={each}
                      keys={keysOf(each.person_id)}
                      onDone={() => {
                        change(null);
                        people.reload();
                        keys.reload();
                      }}
                    />
                  ) : ending === each.id ? (
                    <EndForm
                      keys={keysOf(each.person_id)}
                      isBusy={isBusy}
                      onEnd={(keep) => end(each.id, keep)}
                    />
                  ) : (
                    <div class="actions">
                      <button
                        type="button"
                        class="button link"
                        aria-label={`${words.role}: ${each.name}`}
                        onClick={() => change(each.id)}
                      >
                        {words.role}
                      </button>
                      <button
                        type="button"
                        class="button link"
                        aria-label={`${words.end}: ${each.name}`}
                        disabled={isBusy || keys.data === null}
                        onClick={() =>
                          keysOf(each.person_id).length > 0
                            ? beginToEnd(each.id)
                            : void end(each.id, [])
                        }
                      >
                        {words.end}
                      </button>
                    </div>
                  ),
                ],
              }))}
            />
          )}
        </Shown>
      </Card>
      <Invite onDone={invitations.reload} />
      <Card title={words.invitations}>
        <Shown of={invitations}>
          {({ invitations: all }) => (
            <Table
              columns={[words.email, words.role, words.state, words.expires, words.details]}
              empty={words.none}
              rows={all.map((each) => ({
                key: each.id,
                cells: [
                  <bdi>{each.email}</bdi>,
                  words[`role_${each.role}`],
                  <Tag tone={tones[each.state]}>{words[`i_${each.state}`]}</Tag>,
                  moment(each.expires_at, language),
                  each.state === 'open' ? (
                    <button
                      type="button"
                      class="button link"
                      aria-label={`${words.withdraw}: ${each.email}`}
                      disabled={isBusy}
                      onClick={() =>
                        act(async () => {
                          await api.post(`/invitations/${each.id}/withdraw`);
                          invitations.reload();
                        })
                      }
                    >
                      {words.withdraw}
                    </button>
                  ) : (
                    ''
                  ),
                ],
              }))}
            />
          )}
        </Shown>
      </Card>
    </>
  );
}

type Key = Views['keys']['api_keys'][number];

/** Those that still open something, or will again. */
const keysMadeBy = (keys: Key[], personId: string): Key[] =>
  keys.filter(
    (each) =>
      each.made_by.id === personId &&
      !each.revoked_at &&
      !(each.expires_at && new Date(each.expires_at) <= new Date()),
  );

/** Whoever made a key may hold it still: it ends with them, unless it is said to go on. */
function KeptKeys({
  keys,
  value,
  onChange,
}: {
  keys: Key[];
  value: string[];
  onChange(value: string[]): void;
}) {
  const { words, language } = usePage();
  return (
    <fieldset>
      <legend>{words.keysTheyMade}</legend>
      <p class="quiet">{words.keysEndToo}</p>
      {keys.map((each) => (
        <Check
          key={each.id}
          label={`${words.keepKey}: ${each.name}`}
          hint={`${each.prefix}… ${words.lastUsed}: ${moment(each.last_used_at, language)}`}
          checked={value.includes(each.id)}
          onChange={(isOn) =>
            onChange(isOn ? [...value, each.id] : value.filter((other) => other !== each.id))
          }
        />
      ))}
    </fieldset>
  );
}

function EndForm({
  keys,
  isBusy,
  onEnd,
}: {
  keys: Key[];
  isBusy: boolean;
  onEnd(keep: string[]): Promise<unknown>;
}) {
  const { words } = usePage();
  const [keep, setKeep] = useState<string[]>([]);
  return (
    <Form onSubmit={() => onEnd(keep)} submit={words.end} isBusy={isBusy}>
      <KeptKeys keys={keys} value={keep} onChange={setKeep} />
    </Form>
  );
}

function MemberForm({ member, keys, onDone }: { member: Member; keys: Key[]; onDone(): void }) {
  const { words, api } = usePage();
  const roles = useRoles();
  const { act, isBusy, message } = useAct();
  const [role, setRole] = useState<Role>(member.role);
  const [chosen, setChosen] = useState(member.permissions);
  const [keep, setKeep] = useState<string[]>([]);
  const stepsDown = member.role === 'business_admin' && role === 'business_user' && keys.length > 0;
  const save = () =>
    act(async () => {
      await api.put(`/people/${member.id}`, {
        role,
        permissions: role === 'business_user' ? chosen : [],
        version: member.version,
        ...(stepsDown ? { keep_api_keys: keep } : {}),
      });
      onDone();
    });
  return (
    <Form onSubmit={save} submit={words.save} isBusy={isBusy}>
      <Pick
        label={words.role}
        value={role}
        choices={roles}
        onChange={(value) => setRole(value as Role)}
      />
      {role === 'business_user' ? <Singles value={chosen} onChange={setChosen} /> : null}
      {stepsDown ? <KeptKeys keys={keys} value={keep} onChange={setKeep} /> : null}
      <Message text={message} />
    </Form>
  );
}

function Invite({ onDone }: { onDone(): void }) {
  const { words, api } = usePage();
  const roles = useRoles();
  const { act, isBusy, message, isGood } = useAct();
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<Role>('business_user');
  const [chosen, setChosen] = useState<string[]>([]);
  const send = () =>
    act(async () => {
      await api.post('/invitations', {
        email,
        role,
        permissions: role === 'business_user' ? chosen : [],
      });
      setEmail('');
      onDone();
    }, words.saved);
  return (
    <Card title={words.inviteSomebody}>
      <Form onSubmit={send} submit={words.invite} isBusy={isBusy}>
        <div class="columns">
          <Text label={words.email} value={email} onInput={setEmail} type="email" />
          <Pick
            label={words.role}
            value={role}
            choices={roles}
            onChange={(value) => setRole(value as Role)}
          />
        </div>
        {role === 'business_user' ? <Singles value={chosen} onChange={setChosen} /> : null}
        <Message text={message} isGood={isGood} />
      </Form>
    </Card>
  );
}

/** Who has seen the key; where they are no admin any more, what to do about it. */
function KeyMaker({ of: { made_by: maker, revoked_at } }: { of: Key }) {
  const { words } = usePage();
  const gone = revoked_at || maker.standing === 'admin' ? null : maker.standing;
  return (
    <>
      {maker.name ? <bdi>{maker.name}</bdi> : null}{' '}
      {gone ? <Tag tone={gone === 'blocked' ? 'bad' : 'wait'}>{words[`maker_${gone}`]}</Tag> : null}
      {gone ? (
        <span class="quiet">{gone === 'blocked' ? words.keySuspended : words.replaceKey}</span>
      ) : null}
    </>
  );
}

/** Programs that may call for the business. */
export function KeysPage() {
  const { words, api, language } = usePage();
  const keys = useLoad(() => api.get<Views['keys']>('/api-keys'));
  const { act, isBusy, message } = useAct();
  const [name, setName] = useState('');
  const [chosen, choose] = useState<string[]>(['read', 'seal']);
  const [made, setMade] = useState('');
  const create = () =>
    act(async () => {
      const { key } = await api.post<Views['newKey']>('/api-keys', { name, scopes: chosen });
      setMade(key);
      setName('');
      keys.reload();
    });
  return (
    <>
      <Card title={words.newKey}>
        {made ? (
          <p class="notice good" role="status">
            {words.keyOnce} <code class="secret">{made}</code>
          </p>
        ) : null}
        <Form onSubmit={create} submit={words.create} isBusy={isBusy}>
          <Text label={words.name} value={name} onInput={setName} />
          <fieldset>
            <legend>{words.permissions}</legend>
            {keyScopes.map((each) => (
              <Check
                key={each}
                label={words[`p_${each}`]}
                checked={chosen.includes(each)}
                onChange={(isOn) =>
                  choose(isOn ? [...chosen, each] : chosen.filter((other) => other !== each))
                }
              />
            ))}
          </fieldset>
          <Message text={message} />
        </Form>
      </Card>
      <Card title={words.keys}>
        <Shown of={keys}>
          {({ api_keys: all }) => (
            <Table
              columns={[
                words.name,
                words.prefix,
                words.permissions,
                words.madeBy,
                words.lastUsed,
                words.state,
              ]}
              empty={words.none}
              rows={all.map((each) => ({
                key: each.id,
                cells: [
                  <bdi>{each.name}</bdi>,
                  <code>{each.prefix}…</code>,
                  each.scopes.map((one) => words[`p_${one}` as 'p_read'] ?? one).join(', '),
                  <KeyMaker of={each} />,
                  moment(each.last_used_at, language),
                  each.revoked_at ? (
                    <Tag tone="bad">{words.revoked}</Tag>
                  ) : (
                    <button
                      type="button"
                      class="button link"
                      aria-label={`${words.revoke}: ${each.name}`}
                      disabled={isBusy}
                      onClick={() =>
                        act(async () => {
                          await api.post(`/api-keys/${each.id}/revoke`);
                          keys.reload();
                        })
                      }
                    >
                      {words.revoke}
                    </button>
                  ),
                ],
              }))}
            />
          )}
        </Shown>
      </Card>
    </>
  );
}
