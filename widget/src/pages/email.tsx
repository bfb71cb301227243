import { useEffect, useState } from 'preact/hooks';
import { useAct, usePage } from './page.ts';
import { Card, Form, Message } from './parts.tsx';
import { filled } from './words.ts';

/**
 * The link that confirms an address. It is pressed, not only opened: programs that look at mails
 * open what stands in them.
 */
export function ConfirmEmail({ token }: { token: string }) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [email, setEmail] = useState('');
  useEffect(() => setEmail(''), [token]);
  const confirm = () =>
    act(async () =>
      setEmail((await api.post<{ email: string }>('/auth/email/confirm', { token })).email),
    );
  return (
    <Card title={words.emailConfirm}>
      {email ? (
        <p role="status" class="notice good">
          {filled(words.emailConfirmed, { email })}
        </p>
      ) : (
        <Form onSubmit={confirm} submit={words.emailConfirm} isBusy={isBusy}>
          <p>{words.emailConfirmNext}</p>
          <Message text={message} />
        </Form>
      )}
      <p>
        <a href="#/account">{words.account}</a>
      </p>
    </Card>
  );
}
