import { useEffect, useState } from 'preact/hooks';
import type { Answer, Answered, Asked, Taken } from '../zoho-sign-in/pairing.ts';
import { moment, useAct, usePage } from './page.ts';
import { Card, FactList, Form, Message, Text } from './parts.tsx';
import { filled } from './words.ts';

const keep = 'muhuri.approval';

/**
 * Where a person approves that a panel in Zoho Books signs in under their name: they type the code
 * it shows, approve at Zoho, and say whether it was they who opened it. The secret that ties the
 * steps together stays in this tab.
 */
export function ZohoApproval({ query }: { query: string }) {
  return query ? <Back query={query} /> : <Type />;
}

function Type() {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [code, setCode] = useState('');
  const [isForgetful, setForgetful] = useState(false);
  const submit = () =>
    act(async () => {
      // Tried first: a code works once, and a browser that keeps nothing would not know itself
      // again after Zoho.
      if (!keeps()) return setForgetful(true);
      const taken = await api.post<Taken>('/auth/zoho/approvals', { code });
      sessionStorage.setItem(keep, taken.browser_secret);
      location.assign(taken.consent_url);
    });
  return (
    <Card title={words.zohoSignIn}>
      <p>{words.zohoApproveNext}</p>
      <Form onSubmit={submit} submit={words.zohoContinue} isBusy={isBusy}>
        <Text
          label={words.zohoCode}
          hint={words.zohoCodeHint}
          value={code}
          onInput={setCode}
          autocomplete="off"
        />
        <Message text={isForgetful ? words.zohoForgetful : message} />
      </Form>
    </Card>
  );
}

function Back({ query }: { query: string }) {
  const { words, api, language } = usePage();
  const { act, isBusy, message } = useAct();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [answered, setAnswered] = useState<Answered['state'] | null>(null);
  const [secret] = useState(() => take(keep));
  useEffect(() => {
    // What Zoho sent along works once; it need not stand in the history.
    history.replaceState(null, '', '#/zoho-sign-in');
    void act(async () => {
      const given = Object.fromEntries(new URLSearchParams(decode(query)));
      const { state, code, error, location: place, 'accounts-server': server } = given;
      const back = {
        state,
        code,
        error,
        location: place,
        'accounts-server': server,
        browser_secret: secret || 'this browser kept nothing',
      };
      setAsked(await api.post<Asked>('/auth/zoho/approvals/callback', back));
    });
  }, []);
  const say = (opened_by_me: boolean) =>
    act(async () => {
      const answer: Answer = { browser_secret: secret, opened_by_me };
      setAnswered((await api.post<Answered>('/auth/zoho/approvals/answer', answer)).state);
    });
  if (answered)
    return (
      <Card title={words.zohoSignIn}>
        <p class={`notice ${answered === 'approved' ? 'good' : 'bad'}`} role="status">
          {answered === 'approved' ? words.zohoApproved : words.zohoDenied}
        </p>
      </Card>
    );
  if (!asked)
    return (
      <Card title={words.zohoSignIn}>
        {isBusy ? <p role="status">{words.loading}</p> : null}
        <Message text={message} />
        {message ? (
          <p>
            <a href="#/zoho-sign-in/" onClick={() => location.reload()}>
              {words.zohoAgain}
            </a>
          </p>
        ) : null}
      </Card>
    );
  return (
    <Card title={words.zohoQuestion}>
      <p>{words.zohoQuestionNext}</p>
      <FactList
        rows={[
          [words.business, asked.business_name],
          [
            words.organization,
            [asked.organization_name, asked.organization_id].filter(Boolean).join(' · '),
          ],
          [
            words.zohoAccount,
            [asked.zoho_user.name, asked.zoho_user.email].filter(Boolean).join(' · '),
          ],
          [
            words.zohoPanel,
            filled(words.zohoPanelFrom, {
              at: moment(asked.panel.opened_at, language),
              address: asked.panel.address,
            }),
          ],
          [words.zohoBrowser, asked.panel.user_agent],
        ]}
      />
      <Message text={message} />
      <div class="row">
        <button type="button" class="button" disabled={isBusy} onClick={() => void say(true)}>
          {words.zohoYes}
        </button>
        <button
          type="button"
          class="button plain"
          disabled={isBusy}
          onClick={() => void say(false)}
        >
          {words.zohoNo}
        </button>
      </div>
    </Card>
  );
}

const decode = (text: string): string => atob(text.replaceAll('-', '+').replaceAll('_', '/'));

function keeps(): boolean {
  try {
    sessionStorage.setItem(keep, '');
    return true;
  } catch {
    return false;
  }
}

function take(key: string): string {
  try {
    const kept = sessionStorage.getItem(key) ?? '';
    sessionStorage.removeItem(key);
    return kept;
  } catch {
    return '';
  }
}
