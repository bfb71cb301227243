import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiProblem } from '../request.ts';
import { type Begun, pairWithZoho, type Polled } from './pairing.ts';

type ZohoSignInWords = {
  zohoSignIn: string;
  zohoType: string;
  zohoOpen: string;
  zohoHolds: string;
  zohoOver: string;
  offline: string;
  offlineNext: string;
  cancel: string;
};

type Props = {
  words: ZohoSignInWords;
  api: { server: string; call<T>(method: string, path: string, body?: object): Promise<T> };
  organizationId: string;
  onDone(session: NonNullable<Polled['session']>): void;
};

/**
 * Sign-in with Zoho within a frame: a window beside it where a code is typed, or, where the browser
 * opens none, a link to follow.
 */
export function ZohoSignIn({ words, api, organizationId, onDone }: Props) {
  const [begun, setBegun] = useState<Begun | null>(null);
  const [message, setMessage] = useState('');
  const running = useRef<AbortController | null>(null);
  const code = useRef<HTMLOutputElement>(null);
  useEffect(() => () => running.current?.abort(), []);
  useEffect(() => code.current?.focus(), [begun]);
  const page = `${api.server}/zoho`;

  const start = async () => {
    // At once, within the click, or the browser takes it for an advertisement. It learns nothing of
    // us, nor we of it.
    window.open(page, '_blank', 'noopener,popup,width=520,height=720');
    const mine = new AbortController();
    running.current?.abort();
    running.current = mine;
    setMessage('');
    try {
      const came = await pairWithZoho(api.call, organizationId, setBegun, mine.signal);
      if (mine.signal.aborted) return;
      setBegun(null);
      if ('token' in came) onDone(came);
      else
        setMessage(came.problem ? `${came.problem.title} ${came.problem.detail}` : words.zohoOver);
    } catch (error) {
      setBegun(null);
      setMessage(
        error instanceof ApiProblem
          ? `${error.problem.title} ${error.problem.detail}`
          : `${words.offline}. ${words.offlineNext}`,
      );
    }
  };
  const cancel = () => {
    running.current?.abort();
    setBegun(null);
  };

  return (
    <div class="with-zoho">
      <p role="alert" class={message ? 'notice' : ''}>
        {message}
      </p>
      {begun ? (
        <div role="status">
          <p>{words.zohoType}</p>
          <output class="pairing-code" ref={code} tabIndex={-1}>
            <bdi dir="ltr">{begun.code}</bdi>
          </output>
          <p>
            <a href={begun.approval_url} target="_blank" rel="noopener noreferrer">
              {words.zohoOpen}
            </a>
            <bdi class="quiet" dir="ltr">
              {begun.approval_url}
            </bdi>
          </p>
          <p class="quiet">{words.zohoHolds}</p>
          <button type="button" class="button plain" onClick={cancel}>
            {words.cancel}
          </button>
        </div>
      ) : (
        <button type="button" class="button main" onClick={() => void start()}>
          {words.zohoSignIn}
        </button>
      )}
    </div>
  );
}
