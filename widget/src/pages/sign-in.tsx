import { useEffect, useState } from 'preact/hooks';
import { ApiProblem } from '../request.ts';
import type { Session, Views } from './api.ts';
import { useAct, usePage } from './page.ts';
import { deviceToken, keepDeviceToken } from '../second-factor/device.ts';
import { FactorFields, nothingTyped, proofOf } from '../second-factor/fields.tsx';
import { LostFactor } from '../second-factor/lost-factor.tsx';
import { Card, Dialog, Form, Message, Pick, Text } from './parts.tsx';
import { ZohoSignIn } from '../zoho-sign-in/zoho-sign-in.tsx';
import { filled } from './words.ts';

type Done = { onDone(session: Session): void };

/**
 * Within Zoho Books with Zoho; else username and password; the authenticator's code and the
 * business only where they are asked for.
 */
export function SignIn({
  onDone,
  over,
  organizationId,
}: Done & { over: string; organizationId: string | null }) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [typed, setTyped] = useState(nothingTyped);
  const [needsFactor, setNeedsFactor] = useState(false);
  const [choices, setChoices] = useState<[string, string][]>([]);
  const [business, setBusiness] = useState('');
  const submit = () =>
    act(async () => {
      try {
        const device = deviceToken(username);
        const { device_token, ...session } = await api.post<Session>('/auth/login', {
          username,
          password,
          ...(device ? { device_token: device } : {}),
          ...(needsFactor ? proofOf(typed) : {}),
          ...(organizationId ? { organization_id: organizationId } : {}),
          ...(business ? { business_id: business } : {}),
        });
        keepDeviceToken(username, device_token);
        onDone(session);
      } catch (error) {
        const problem = error instanceof ApiProblem ? error.problem : null;
        // The field that appears says it all the first time.
        if (problem?.code === 'code_needed' && !needsFactor) return setNeedsFactor(true);
        if (problem?.code !== 'choose_membership') throw error;
        const found = (problem.memberships as { business_id: string; business_name: string }[]).map(
          (each): [string, string] => [each.business_id, each.business_name],
        );
        setChoices(found);
        setBusiness(found[0]?.[0] ?? '');
      }
    });
  return (
    <Card title={words.signInTo}>
      {over ? <Message text={over} /> : null}
      {organizationId ? (
        <>
          <ZohoSignIn words={words} api={api} organizationId={organizationId} onDone={onDone} />
          <h3>{words.zohoOr}</h3>
        </>
      ) : null}
      <Form onSubmit={submit} submit={words.signIn} isBusy={isBusy}>
        <Text
          label={words.username}
          value={username}
          onInput={setUsername}
          autocomplete="username"
        />
        <Text
          label={words.password}
          value={password}
          onInput={setPassword}
          type="password"
          autocomplete="current-password"
        />
        {needsFactor ? (
          <FactorFields words={words} value={typed} onChange={setTyped} focus />
        ) : null}
        {choices.length > 0 ? (
          <Pick label={words.business} value={business} choices={choices} onChange={setBusiness} />
        ) : null}
        <Message text={message} />
      </Form>
      {needsFactor ? (
        <LostFactor words={words} api={api} username={username} password={password} />
      ) : null}
      <p>
        <a href="#/forgot">{words.forgot}</a>
      </p>
    </Card>
  );
}

export function Forgot() {
  const { words, api } = usePage();
  const { act, isBusy, message, isGood } = useAct();
  const [username, setUsername] = useState('');
  return (
    <Card title={words.forgot}>
      <Form
        onSubmit={() =>
          act(() => api.post('/auth/password/forgot', { username }), words.forgotNext)
        }
        submit={words.forgotSend}
        isBusy={isBusy}
      >
        <Text
          label={words.username}
          value={username}
          onInput={setUsername}
          autocomplete="username"
        />
        <Message text={message} isGood={isGood} />
      </Form>
      <p>
        <a href="#/">{words.signIn}</a>
      </p>
    </Card>
  );
}

export function Reset({ token }: { token: string }) {
  const { words, api } = usePage();
  const { act, isBusy, message, isGood } = useAct();
  const [password, setPassword] = useState('');
  return (
    <Card title={words.reset}>
      <Form
        onSubmit={() =>
          act(
            () => api.post('/auth/password/reset', { token, new_password: password }),
            words.resetDone,
          )
        }
        submit={words.save}
        isBusy={isBusy}
      >
        <Text
          label={words.newPassword}
          value={password}
          onInput={setPassword}
          type="password"
          autocomplete="new-password"
          hint={words.newPasswordHint}
        />
        <Message text={message} isGood={isGood} />
      </Form>
      {isGood ? <a href="#/">{words.signIn}</a> : null}
    </Card>
  );
}

export function Accept({ token, onDone }: Done & { token: string }) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [invitation, setInvitation] = useState<Views['invitation'] | null>(null);
  const [isNew, setNew] = useState(true);
  const [username, setUsername] = useState('');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [typed, setTyped] = useState(nothingTyped);
  const [needsFactor, setNeedsFactor] = useState(false);
  useEffect(() => {
    void act(async () =>
      setInvitation(await api.post<Views['invitation']>('/auth/invitation', { token })),
    );
  }, []);
  const existing = {
    account: 'existing',
    token,
    username,
    password,
    ...(needsFactor ? proofOf(typed) : {}),
  };
  const submit = () =>
    act(async () => {
      try {
        onDone(
          await api.post<Session>(
            '/auth/invitation/accept',
            isNew ? { account: 'new', token, username, name, password } : existing,
          ),
        );
      } catch (error) {
        if (error instanceof ApiProblem && error.problem.code === 'code_needed')
          setNeedsFactor(true);
        throw error;
      }
    });
  return (
    <Card title={words.accept}>
      {invitation ? (
        <>
          <p>
            <bdi>
              {filled(words.acceptFor, {
                business: invitation.business_name,
                role: words[`role_${invitation.role}`],
              })}
            </bdi>
          </p>
          <Pick
            label={words.account}
            value={isNew ? 'new' : 'existing'}
            choices={[
              ['new', words.newAccount],
              ['existing', words.haveAccount],
            ]}
            onChange={(value) => setNew(value === 'new')}
          />
          <Form onSubmit={submit} submit={words.accept} isBusy={isBusy}>
            <Text
              label={words.username}
              value={username}
              onInput={setUsername}
              autocomplete="username"
            />
            {isNew ? (
              <Text label={words.name} value={name} onInput={setName} autocomplete="name" />
            ) : null}
            <Text
              label={words.password}
              value={password}
              onInput={setPassword}
              type="password"
              autocomplete={isNew ? 'new-password' : 'current-password'}
              {...(isNew ? { hint: words.newPasswordHint } : {})}
            />
            {needsFactor && !isNew ? (
              <FactorFields words={words} value={typed} onChange={setTyped} focus />
            ) : null}
          </Form>
        </>
      ) : null}
      <Message text={message} />
    </Card>
  );
}

export function FirstOperator({ token, onDone }: Done & { token: string }) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [value, setValue] = useState({ username: '', name: '', email: '', password: '' });
  const set = (key: keyof typeof value) => (text: string) => setValue({ ...value, [key]: text });
  return (
    <Card title={words.firstOperator}>
      <Form
        onSubmit={() =>
          act(async () =>
            onDone(await api.post<Session>('/auth/first-operator', { token, ...value })),
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
          label={words.email}
          value={value.email}
          onInput={set('email')}
          type="email"
          autocomplete="email"
        />
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

/** The second factor: given, or set up first. */
export function Factor({
  kind,
  onDone,
}: {
  kind: 'second_factor_setup' | 'second_factor_needed';
  onDone(passed: boolean): void;
}) {
  const { words } = usePage();
  return (
    <Dialog title={words.factor} onClose={() => onDone(false)}>
      <p>{kind === 'second_factor_setup' ? words.factorSetup : words.factorNeeded}</p>
      {kind === 'second_factor_setup' ? (
        <SetUpFactor onDone={() => onDone(true)} />
      ) : (
        <GiveFactor onDone={() => onDone(true)} />
      )}
    </Dialog>
  );
}

/** Scan, confirm, and keep the recovery codes, which are shown this once. */
export function SetUpFactor({ onDone }: { onDone(): void }) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [shown, setShown] = useState<Views['totp'] | null>(null);
  const [codes, setCodes] = useState<string[]>([]);
  if (codes.length > 0) return <RecoveryCodes codes={codes} onDone={onDone} />;
  if (!shown)
    return (
      <Form
        onSubmit={() =>
          act(async () => setShown(await api.post<Views['totp']>('/auth/totp', { password })))
        }
        submit={words.factorBegin}
        isBusy={isBusy}
      >
        <Text
          label={words.currentPassword}
          value={password}
          onInput={setPassword}
          type="password"
          autocomplete="current-password"
        />
        <Message text={message} />
      </Form>
    );
  const confirm = () =>
    act(async () => {
      const { recovery_codes, ...me } = await api.post<Views['totpConfirmed']>(
        '/auth/totp/confirm',
        { code },
      );
      if (api.session) api.keepSession({ ...api.session, ...me });
      setCodes(recovery_codes);
    });
  return (
    <>
      <img
        class="qr"
        alt={words.factorBegin}
        width="200"
        height="200"
        src={`data:image/svg+xml,${encodeURIComponent(shown.qr_svg)}`}
      />
      <p class="quiet">
        {words.factorSecret}: <code>{shown.secret.match(/.{1,4}/g)?.join(' ')}</code>
      </p>
      <Form onSubmit={confirm} submit={words.factorConfirm} isBusy={isBusy}>
        <Text
          label={words.code}
          value={code}
          onInput={setCode}
          mode="numeric"
          autocomplete="one-time-code"
        />
        <Message text={message} />
      </Form>
    </>
  );
}

/** Shown once, to be written down or printed. */
export function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone(): void }) {
  const { words } = usePage();
  return (
    <>
      <h3>{words.recoveryCodes}</h3>
      <p>{words.recoveryCodesOnce}</p>
      <ul class="codes" dir="ltr">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div class="actions">
        <button type="button" class="button main" onClick={onDone}>
          {words.recoveryCodesKept}
        </button>
        <button
          type="button"
          class="button plain"
          onClick={() => void navigator.clipboard.writeText(codes.join('\n')).catch(() => {})}
        >
          {words.copy}
        </button>
      </div>
    </>
  );
}

function GiveFactor({ onDone }: { onDone(): void }) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [typed, setTyped] = useState(nothingTyped);
  const submit = () =>
    act(async () => {
      const { device_token, ...me } = await api.post<Views['factorGiven']>(
        '/auth/second-factor',
        proofOf(typed),
      );
      if (api.session) {
        keepDeviceToken(api.session.person.username, device_token);
        api.keepSession({ ...api.session, ...me });
      }
      onDone();
    });
  return (
    <Form onSubmit={submit} submit={words.factorConfirm} isBusy={isBusy}>
      <FactorFields words={words} value={typed} onChange={setTyped} focus />
      <Message text={message} />
    </Form>
  );
}
