import { useEffect, useState } from 'preact/hooks';
import { Button, Copy, Facts, Section } from '../ui/parts.tsx';
import type { PreflightView, ReceiptView, WriteBackView } from '../views.ts';
import { Evidence } from './evidence.tsx';
import { useFrame } from './frame.ts';
import { Papers, saveBlob } from './papers.tsx';
import { Reversal } from './reversal.tsx';

type Props = {
  receipt: ReceiptView;
  preflight: PreflightView;
  focus: boolean;
  onChange(receipt: ReceiptView): void;
  run(work: () => Promise<void>): void;
};

/** A sealed document: code, numbers, paper. */
export function Signed({ receipt, focus, run, onChange }: Props) {
  const { words, api, language } = useFrame();
  const [qr, setQr] = useState('');
  useEffect(() => {
    setQr('');
    api.qr(receipt.id).then(
      (svg) => setQr(`data:image/svg+xml,${encodeURIComponent(svg)}`),
      () => {},
    );
  }, [receipt.id]);
  const url = receipt.verification_url ?? '';
  const takeEvidence = () =>
    run(async () =>
      saveBlob(await api.evidencePack(receipt.id), `${receipt.document_number}.evidence.json`),
    );
  return (
    <Section
      title={receipt.kind === 'refund' ? words.refund : words.signed}
      tone="good"
      focus={focus}
    >
      {receipt.drift ? (
        <div class="notice bad" role="alert">
          <strong>{receipt.drift.title}</strong>
          <span class="quiet">{receipt.drift.detail}</span>
        </div>
      ) : null}
      {receipt.problem?.code === 'signed_twice' ? (
        <>
          <div class="notice bad" role="alert">
            <strong>{receipt.problem.title}</strong>
            <span class="quiet">{receipt.problem.detail}</span>
          </div>
          <Evidence receipt={receipt} onSettled={onChange} />
        </>
      ) : null}
      <Papers receipt={receipt} run={run} onChange={onChange} />
      {qr ? (
        <img class="qr" src={qr} alt={words.qrAlt} width="216" height="216" />
      ) : (
        <div class="qr" style={{ blockSize: '13.5rem' }} />
      )}
      <p class="verify">
        {/^https?:/.test(url) ? (
          <a href={url} target="_blank" rel="noopener noreferrer">
            {words.verify}
          </a>
        ) : (
          words.verify
        )}
      </p>
      <Facts
        copy={words.copy}
        copied={words.copied}
        rows={[
          {
            name: words.receiptNumber,
            value: `${receipt.receipt_number ?? ''}/${receipt.total_receipt_number ?? ''} ${receipt.label ?? ''}`,
            copies: true,
          },
          {
            name: words.signedAt,
            value:
              receipt.signed_at &&
              new Intl.DateTimeFormat(language, {
                dateStyle: 'medium',
                timeStyle: 'medium',
              }).format(new Date(receipt.signed_at)),
          },
          { name: words.sdc, value: receipt.sdc_id, copies: true },
          { name: words.signature, value: grouped(receipt.receipt_signature), copies: true },
          { name: words.internalData, value: grouped(receipt.internal_data), copies: true },
          { name: words.mrc, value: receipt.mrc_number },
        ]}
      />
      <InZoho receiptId={receipt.id} run={run} />
      <div class="actions">
        {api.session?.business?.permissions.includes('read_trail') ? (
          <Button onClick={takeEvidence}>{words.evidencePack}</Button>
        ) : null}
      </div>
    </Section>
  );
}

const markOf = { done: '✓', skipped: '–', waiting: '…', begun: '…', failed: '!' } as const;

/** What was written of the seal to the document in Zoho; nothing where nothing is to be written. */
function InZoho({ receiptId, run }: { receiptId: string; run: Props['run'] }) {
  const { words, api } = useFrame();
  const [steps, setSteps] = useState<WriteBackView['steps']>([]);
  useEffect(() => {
    setSteps([]);
    api.writeBack(receiptId).then(
      (is) => setSteps(is.steps),
      () => {},
    );
  }, [receiptId]);
  if (steps.length === 0) return null;
  return (
    <>
      <h3>{words.inZoho}</h3>
      <ul class="steps">
        {steps.map((each) => (
          <li key={each.step}>
            <span aria-hidden="true">{markOf[each.state]}</span> {words[`step_${each.step}`]}:{' '}
            {words[`is_${each.state}`]}
            {each.problem ? (
              <span class="quiet">
                {each.problem.title} {each.problem.detail}
              </span>
            ) : null}
          </li>
        ))}
      </ul>
      {steps.some((each) => each.state === 'failed') ? (
        <Button onClick={() => run(async () => setSteps((await api.writeAgain(receiptId)).steps))}>
          {words.writeAgain}
        </Button>
      ) : null}
    </>
  );
}

/**
 * Refused, waiting, in doubt, withdrawn: our sentence, the next step, the device's own words
 * beneath.
 */
export function Unsigned({ receipt, preflight, focus, run, onChange }: Props) {
  const { words, api } = useFrame();
  const titles = {
    refused: words.refused,
    queued: words.queued,
    in_doubt: words.inDoubt,
    withdrawn: words.withdrawn,
    signed: words.signed,
  };
  const problem = receipt.problem;
  const isLate = problem?.code === 'signed_twice';
  const tone = receipt.state === 'refused' || isLate ? 'bad' : 'wait';
  const mayWithdraw =
    receipt.state === 'queued' &&
    (problem === null ||
      ['device_busy', 'device_unreachable', 'behind_doubt', 'device_address_refused'].includes(
        problem.code,
      ));
  const support = JSON.stringify({
    receipt: receipt.id,
    state: receipt.state,
    document: receipt.document_number,
    code: problem?.code,
    device: problem?.device_code,
    text: problem?.device_text,
    at: receipt.updated_at,
  });
  return (
    <Section title={isLate ? words.signedLate : titles[receipt.state]} tone={tone} focus={focus}>
      {problem ? (
        <>
          {receipt.state === 'refused' && problem.fix !== 'none' && !isLate ? (
            <span class="tag">{words[`fix_${problem.fix}` as keyof typeof words]}</span>
          ) : null}
          <p>{problem.title}</p>
          <h3>{words.next}</h3>
          <p>{problem.detail}</p>
          {problem.device_text ? (
            <div class="device">
              {words.deviceSays}:{' '}
              <bdi>
                {problem.device_code} {problem.device_text}
              </bdi>
            </div>
          ) : null}
        </>
      ) : null}
      <div class="actions">
        {mayWithdraw ? (
          <Button onClick={() => run(async () => onChange(await api.withdraw(receipt.id)))}>
            {words.withdraw}
          </Button>
        ) : null}
        <Copy
          text={support}
          label={words.copyForSupport}
          word={words.copyForSupport}
          done={words.copied}
        />
      </div>
      {isLate || (receipt.state === 'in_doubt' && problem?.code !== 'number_collision') ? (
        <Evidence receipt={receipt} onSettled={onChange} />
      ) : null}
      {problem?.code === 'signed_answer_lost' &&
      preflight.reversal_offered &&
      receipt.kind === 'sale' ? (
        <Reversal receipt={receipt} reasons={preflight.reasons} onChange={onChange} />
      ) : null}
    </Section>
  );
}

const grouped = (text: string | null) => text && (text.match(/.{1,4}/g) ?? []).join('-');
