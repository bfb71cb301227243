import { useState } from 'preact/hooks';
import { ApiProblem } from '../request.ts';
import { Button, Field } from '../ui/parts.tsx';
import type { ReceiptView } from '../views.ts';
import { useFrame } from './frame.ts';

const empty = { source: '', receipt_number: '', total_receipt_number: '', internal_data: '', receipt_signature: '', sdc_id: '', signed_at: '' };

/** For whoever may settle: the authority's own data, or that it holds nothing. */
export function Evidence({ receipt, onSettled }: { receipt: ReceiptView; onSettled(receipt: ReceiptView): void }) {
  const { words, api } = useFrame();
  const business = api.session?.business;
  const [value, setValue] = useState(empty);
  const [hasNone, setNone] = useState(false);
  const [message, setMessage] = useState('');
  const [isBusy, setBusy] = useState(false);
  if (!business?.permissions.includes('settle')) return null;
  const field = (key: keyof typeof empty, label: string, type: 'text' | 'datetime-local' = 'text') => (
    <Field label={label} type={type} value={value[key]} onInput={(text) => setValue({ ...value, [key]: text })} autocomplete="off" />
  );
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setMessage('');
    try {
      const evidence = hasNone ? { found: false, source: value.source } : { found: true, ...value, signed_at: new Date(value.signed_at).toISOString() };
      onSettled(await api.evidence(receipt.id, evidence));
    } catch (error) {
      setMessage(
        error instanceof ApiProblem ? `${error.problem.title} ${error.problem.detail}${error.problem.field ? ` (${error.problem.field})` : ''}` : words.offline,
      );
    } finally {
      setBusy(false);
    }
  };
  return (
    <details>
      <summary>{words.evidence}</summary>
      <form onSubmit={submit}>
        <p class="quiet">{words.evidenceIntro}</p>
        {field('source', words.evidenceSource)}
        <label class="check">
          <input type="checkbox" checked={hasNone} onChange={(event) => setNone(event.currentTarget.checked)} />
          <span>{words.evidenceNone}</span>
        </label>
        {hasNone ? null : (
          <>
            {field('receipt_number', words.receiptNo)}
            {field('total_receipt_number', words.totalReceiptNo)}
            {field('internal_data', words.internalData)}
            {field('receipt_signature', words.signature)}
            {field('sdc_id', words.sdc)}
            {field('signed_at', words.signedAt, 'datetime-local')}
          </>
        )}
        <p role="alert">{message}</p>
        <Button type="submit" busy={isBusy}>
          {words.use}
        </Button>
      </form>
    </details>
  );
}
