import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { FactorAsked } from '../api.ts';
import { ApiProblem } from '../request.ts';
import { keepDeviceToken } from '../second-factor/device.ts';
import { FactorFields, nothingTyped, proofOf } from '../second-factor/fields.tsx';
import { Button } from '../ui/parts.tsx';
import { useFrame } from './frame.ts';

/** Asked for in the middle of something, which goes on once it was given. */
export function SecondFactor({
  kind,
  onDone,
}: {
  kind: FactorAsked;
  onDone(isGiven: boolean): void;
}) {
  const { words, api } = useFrame();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [typed, setTyped] = useState(nothingTyped);
  const [message, setMessage] = useState('');
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  const give = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setMessage('');
    try {
      const { device_token } = await api.giveSecondFactor(proofOf(typed));
      if (api.session)
        keepDeviceToken(
          api.session.refresh_token ? api.zohoDevice : api.session.person.username,
          device_token,
        );
      onDone(true);
    } catch (error) {
      setMessage(
        error instanceof ApiProblem
          ? `${error.problem.title} ${error.problem.detail}`
          : `${words.offline}. ${words.offlineNext}`,
      );
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={id} onCancel={() => onDone(false)}>
      <h2 id={id}>{words.factor}</h2>
      {kind === 'second_factor_setup' ? (
        <>
          <p>{words.factorSetup}</p>
          <div class="actions">
            <a
              class="button main"
              href={`${api.server}/settings#/account`}
              target="_blank"
              rel="noopener noreferrer"
            >
              {words.factorSetupOpen}
            </a>
            <Button onClick={() => onDone(false)}>{words.cancel}</Button>
          </div>
        </>
      ) : (
        <>
          <p>{words.factorNeeded}</p>
          <form onSubmit={give}>
            <p role="alert" class={message ? 'notice bad' : ''}>
              {message}
            </p>
            <FactorFields words={words} value={typed} onChange={setTyped} focus />
            <div class="actions">
              <Button type="submit" kind="main" busy={isBusy}>
                {words.factorConfirm}
              </Button>
              <Button onClick={() => onDone(false)}>{words.cancel}</Button>
            </div>
          </form>
        </>
      )}
    </dialog>
  );
}
