import { useState } from 'preact/hooks';
import { ApiProblem, Offline } from '../request.ts';
import { FactorFields, nothingTyped, proofOf } from '../second-factor/fields.tsx';
import { LostFactor } from '../second-factor/lost-factor.tsx';
import { Button, Choice, Field, Section } from '../ui/parts.tsx';
import { ZohoSignIn } from '../zoho-sign-in/zoho-sign-in.tsx';
import { useFrame } from './frame.ts';

/** With Zoho, or username and password; where a person works for several businesses, which one. */
export function SignIn({
  organizationId,
  over,
  onDone,
}: {
  organizationId: string;
  over: string;
  onDone(): void;
}) {
  const { words, api } = useFrame();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [businesses, setBusinesses] = useState<{ code: string; name: string }[]>([]);
  const [businessId, setBusinessId] = useState('');
  const [message, setMessage] = useState(over);
  const [isBusy, setBusy] = useState(false);
  const [needsFactor, setNeedsFactor] = useState(false);
  const [typed, setTyped] = useState(nothingTyped);

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setMessage('');
    try {
      await api.signIn(
        {
          username,
          password,
          organization_id: organizationId,
          ...(businessId ? { business_id: businessId } : {}),
        },
        needsFactor ? proofOf(typed) : {},
      );
      onDone();
    } catch (error) {
      if (error instanceof ApiProblem) {
        // The field that appears says it all the first time.
        if (error.problem.code === 'code_needed' && !needsFactor) return setNeedsFactor(true);
        setMessage(`${error.problem.title} ${error.problem.detail}`);
        const several = error.problem.memberships as
          | { business_id: string; business_name: string }[]
          | undefined;
        if (several)
          setBusinesses(
            several.map((each) => ({ code: each.business_id, name: each.business_name })),
          );
      } else if (error instanceof Offline) setMessage(`${words.offline}. ${words.offlineNext}`);
      else throw error;
    } finally {
      setBusy(false);
    }
  };

  return (
    <Section title={words.signInTo}>
      <ZohoSignIn
        words={words}
        api={api}
        organizationId={organizationId}
        onDone={(session) => {
          api.keepSession(session);
          onDone();
        }}
      />
      <form onSubmit={submit}>
        <h3>{words.zohoOr}</h3>
        <p role="alert" class={message ? 'notice' : ''}>
          {message}
        </p>
        <Field
          label={words.username}
          value={username}
          onInput={setUsername}
          autocomplete="username"
        />
        <Field
          label={words.password}
          value={password}
          onInput={setPassword}
          type="password"
          autocomplete="current-password"
        />
        {businesses.length > 0 ? (
          <Choice
            label={words.business}
            value={businessId}
            choices={businesses}
            empty={words.choose}
            onChange={setBusinessId}
          />
        ) : null}
        {needsFactor ? (
          <FactorFields words={words} value={typed} onChange={setTyped} focus />
        ) : null}
        <Button type="submit" busy={isBusy}>
          {words.signIn}
        </Button>
      </form>
      {needsFactor ? (
        <LostFactor words={words} api={api} username={username} password={password} />
      ) : null}
    </Section>
  );
}
