import { useState } from 'preact/hooks';
import { ApiProblem } from '../request.ts';

type LostWords = {
  lostFactor: string;
  lostFactorNext: string;
  lostFactorAsk: string;
  lostFactorAsked: string;
  offline: string;
  offlineNext: string;
};

type Props = {
  words: LostWords;
  api: { call<T>(method: string, path: string, body?: object): Promise<T> };
  /** What was typed at the door: the password is right by then. */
  username: string;
  password: string;
};

/**
 * For whoever has lost authenticator and recovery codes: others are asked to remove the second
 * factor.
 */
export function LostFactor({ words, api, username, password }: Props) {
  const [message, setMessage] = useState('');
  const [isAsked, setAsked] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const ask = async () => {
    setBusy(true);
    setMessage('');
    try {
      await api.call('POST', '/auth/way-back', { username, password });
      setAsked(true);
    } catch (error) {
      setMessage(
        error instanceof ApiProblem
          ? `${error.problem.title} ${error.problem.detail}`
          : `${words.offline}. ${words.offlineNext}`,
      );
    } finally {
      setBusy(false);
    }
  };
  return (
    <details>
      <summary>{words.lostFactor}</summary>
      <p class="quiet">{words.lostFactorNext}</p>
      <p role="alert" class={message ? 'notice bad' : ''}>
        {message}
      </p>
      {isAsked ? (
        <p role="status" class="notice good">
          {words.lostFactorAsked}
        </p>
      ) : (
        <button type="button" class="button plain" disabled={isBusy} onClick={() => void ask()}>
          {words.lostFactorAsk}
        </button>
      )}
    </details>
  );
}
