import { useState } from 'preact/hooks';
import { ApiProblem } from '../request.ts';
import { Button, Choice, Field } from '../ui/parts.tsx';
import type { PreflightView, ReceiptView } from '../views.ts';
import { useFrame } from './frame.ts';

type Props = {
  receipt: ReceiptView;
  reasons: PreflightView['reasons'];
  onChange(receipt: ReceiptView): void;
};

/** The way out of a lost answer without its data: one person proposes, another confirms. */
export function Reversal({ receipt, reasons, onChange }: Props) {
  const { words, api } = useFrame();
  const session = api.session;
  const [reason, setReason] = useState('');
  const [source, setSource] = useState('');
  const [message, setMessage] = useState('');
  const [isBusy, setBusy] = useState(false);
  if (!session?.business?.permissions.includes('settle')) return null;
  const run = async (work: () => Promise<ReceiptView>) => {
    setBusy(true);
    setMessage('');
    try {
      onChange(await work());
    } catch (error) {
      // What is there to be looked at again.
      if (error instanceof ApiProblem && error.problem.code === 'version_conflict')
        await api.receipt(receipt.id).then(onChange, () => {});
      setMessage(
        error instanceof ApiProblem
          ? `${error.problem.title} ${error.problem.detail}`
          : words.offline,
      );
    } finally {
      setBusy(false);
    }
  };
  const proposed = receipt.reversal;
  return (
    <details open={proposed !== null}>
      <summary>{words.reversal}</summary>
      <p class="quiet">{words.reversalIntro}</p>
      {proposed?.ended ? (
        <>
          <p>
            <bdi>{words.reversalEnded.replace('{number}', proposed.invoice_number)}</bdi>
          </p>
          <p>
            {proposed.ended.title} {proposed.ended.detail}
          </p>
          {proposed.ended.device_code ? (
            <div class="device">
              {words.deviceSays}:{' '}
              <bdi>
                {proposed.ended.device_code} {proposed.ended.device_text}
              </bdi>
            </div>
          ) : null}
        </>
      ) : null}
      {proposed === null || proposed.ended ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void run(() => api.proposeReversal(receipt.id, { reason_code: reason, source }));
          }}
        >
          <Choice
            label={words.reason}
            value={reason}
            choices={reasons}
            empty={words.choose}
            onChange={setReason}
          />
          <Field
            label={words.reversalSource}
            value={source}
            onInput={setSource}
            autocomplete="off"
          />
          <Button type="submit" busy={isBusy}>
            {words.reversalPropose}
          </Button>
        </form>
      ) : proposed.confirmed_by !== null ? (
        <p>{words.reversalGoes}</p>
      ) : (
        <>
          <p>
            <bdi>
              {words.reversalProposed
                .replace('{name}', proposed.proposed_name)
                .replace('{number}', proposed.invoice_number)}
            </bdi>
          </p>
          <div class="actions">
            {proposed.proposed_by === session.person.id ||
            !session.business.permissions.includes('check') ? null : (
              <Button
                kind="main"
                busy={isBusy}
                onClick={() => void run(() => api.confirmReversal(receipt.id, proposed))}
              >
                {words.reversalConfirm}
              </Button>
            )}
            <Button busy={isBusy} onClick={() => void run(() => api.dropReversal(receipt.id))}>
              {words.reversalDrop}
            </Button>
          </div>
        </>
      )}
      <p role="alert">{message}</p>
    </details>
  );
}
