import { useEffect, useState } from 'preact/hooks';
import { ApiProblem } from '../request.ts';
import { Button, Field } from '../ui/parts.tsx';
import type { DoubtView, ReceiptView } from '../views.ts';
import { useFrame } from './frame.ts';

const empty = {
  source: '',
  receipt_number: '',
  total_receipt_number: '',
  internal_data: '',
  receipt_signature: '',
  sdc_id: '',
  signed_at: '',
  invoice_number: '',
  total: '',
};
type LateSignature = ReceiptView['second_signatures'][number];
type Props = { receipt: ReceiptView; onSettled(receipt: ReceiptView): void };

/**
 * For whoever may settle: what is known of the document, and the authority's own data, nothing, or
 * another program's receipt; of a signature that came late, what it is.
 */
export function Evidence({ receipt, onSettled }: Props) {
  const { words, api } = useFrame();
  const session = api.session;
  const [message, setMessage] = useState('');
  const [isBusy, setBusy] = useState(false);
  if (!session?.business?.permissions.includes('settle')) return null;
  const run = async (work: () => Promise<ReceiptView>) => {
    setBusy(true);
    setMessage('');
    try {
      onSettled(await work());
    } catch (error) {
      // What is there to be looked at again.
      if (error instanceof ApiProblem && error.problem.code === 'version_conflict')
        await api.receipt(receipt.id).then(onSettled, () => {});
      setMessage(
        error instanceof ApiProblem
          ? `${error.problem.title} ${error.problem.detail}${error.problem.field ? ` (${error.problem.field})` : ''}`
          : words.offline,
      );
    } finally {
      setBusy(false);
    }
  };
  const proposed = receipt.settlement;
  const late = receipt.second_signatures.find((each) => each.settled_at === null);
  const isOwn = proposed?.proposed_by === session.person.id;
  return (
    <>
      <Known
        receipt={receipt}
        busy={isBusy}
        onTake={proposed ? null : () => void run(() => api.evidence(receipt.id, { found: 'kept' }))}
      />
      <details open={proposed !== null}>
        <summary>{late ? words.lateSettle : words.evidence}</summary>
        {proposed ? (
          <>
            <p>
              <bdi>{words.reversalWaits.replace('{name}', proposed.proposed_name)}</bdi>
            </p>
            <dl class="evidence">
              <Facts of={proposed.evidence} />
              {proposed.evidence.found === 'late' ? (
                <p>{proposed.evidence.as === 'receipt' ? words.lateReceipt : words.lateUndone}</p>
              ) : proposed.evidence.found === 'other' ? (
                <p>{words.evidenceOther}</p>
              ) : proposed.evidence.found === false ? (
                <p>{words.evidenceNone}</p>
              ) : null}
            </dl>
            <div class="actions">
              {isOwn || !session.business.permissions.includes('check') ? null : (
                <Button
                  kind="main"
                  busy={isBusy}
                  onClick={() => void run(() => api.confirmEvidence(receipt.id, proposed))}
                >
                  {words.evidenceConfirm}
                </Button>
              )}
              <Button busy={isBusy} onClick={() => void run(() => api.dropEvidence(receipt.id))}>
                {words.reversalDrop}
              </Button>
            </div>
          </>
        ) : late ? (
          <Late
            receipt={receipt}
            late={late}
            busy={isBusy}
            onBring={(evidence) => void run(() => api.evidence(receipt.id, evidence))}
          />
        ) : (
          <Bring
            receipt={receipt}
            busy={isBusy}
            onBring={(evidence) => void run(() => api.evidence(receipt.id, evidence))}
          />
        )}
        <p role="alert">{message}</p>
      </details>
    </>
  );
}

/** What somebody, or the device, says of the receipt. */
function Facts({ of }: { of: Record<string, unknown> }) {
  const { words } = useFrame();
  return (
    <>
      {Object.entries(of)
        .filter(([name]) => name !== 'found' && name !== 'as')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{words[`ev_${name}` as 'ev_source'] ?? name}</dt>
            <dd>
              <bdi>{String(value)}</bdi>
            </dd>
          </div>
        ))}
    </>
  );
}

/**
 * A signature that came late: its numbers, and what a person found out about it at the authority.
 */
function Late({
  receipt,
  late,
  busy,
  onBring,
}: {
  receipt: ReceiptView;
  late: LateSignature;
  busy: boolean;
  onBring(evidence: object): void;
}) {
  const { words } = useFrame();
  const [source, setSource] = useState('');
  const [as, setAs] = useState('');
  const {
    invoice_number,
    receipt_number,
    total_receipt_number,
    internal_data,
    receipt_signature,
    sdc_id,
    signed_at,
  } = late;
  const submit = (event: Event) => {
    event.preventDefault();
    onBring({ found: 'late', receipt_signature, as, source });
  };
  // Beside another signature it cannot be the receipt.
  const choices = [
    ...(receipt.receipt_signature ? [] : [{ code: 'receipt', name: words.lateReceipt }]),
    { code: 'undone', name: words.lateUndone },
  ];
  return (
    <form onSubmit={submit}>
      <dl class="evidence">
        <Facts
          of={{
            invoice_number,
            receipt_number,
            total_receipt_number,
            internal_data,
            receipt_signature,
            sdc_id,
            signed_at,
          }}
        />
      </dl>
      <Field label={words.evidenceSource} value={source} onInput={setSource} autocomplete="off" />
      <fieldset class="choices">
        <legend>{words.lateWhat}</legend>
        {choices.map(({ code, name }) => (
          <label class="check" key={code}>
            <input
              type="radio"
              required
              name={`late-${receipt.id}`}
              checked={as === code}
              onChange={() => setAs(code)}
            />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      <Button type="submit" busy={busy}>
        {words.use}
      </Button>
    </form>
  );
}

function Bring({
  receipt,
  busy,
  onBring,
}: {
  receipt: ReceiptView;
  busy: boolean;
  onBring(evidence: object): void;
}) {
  const { words } = useFrame();
  const [value, setValue] = useState(empty);
  const [found, setFound] = useState('receipt');
  const [listedAt, setListedAt] = useState('');
  const field = (
    key: keyof typeof empty,
    label: string,
    type: 'text' | 'datetime-local' = 'text',
  ) => (
    <Field
      label={label}
      type={type}
      value={value[key]}
      onInput={(text) => setValue({ ...value, [key]: text })}
      autocomplete="off"
    />
  );
  const isKnownSigned = receipt.problem?.code === 'signed_answer_lost';
  // The device is not asked: what stands under the number, if anything does, only people can see,
  // and that nothing does only late enough.
  const isUnasked = receipt.problem?.code === 'maybe_signed_under_either';
  // Nothing can be asked of a device that was retired: there a list of the authority's says what
  // is, once nothing can come any more.
  const needsList = receipt.device_retired ? !isKnownSigned : isUnasked && found !== 'receipt';
  const submit = (event: Event) => {
    event.preventDefault();
    const { source, invoice_number, total, ...data } = value;
    if (found !== 'receipt') {
      const absence = needsList
        ? {
            listed_at: new Date(listedAt).toISOString(),
            ...(receipt.device_retired ? { cannot_upload: true } : {}),
          }
        : {};
      return onBring({ found: found === 'other' ? 'other' : false, source, ...absence });
    }
    onBring({
      found: true,
      source,
      ...data,
      signed_at: new Date(value.signed_at).toISOString(),
      invoice_number,
      total: total.replaceAll(',', ''),
    });
  };
  const choices = [
    { code: 'receipt', name: words.evidenceHeld },
    ...(isKnownSigned ? [] : [{ code: 'none', name: words.evidenceNone }]),
    // Only the device's own word that the number is used lets another program be the one, or such a
    // list.
    ...(isKnownSigned || isUnasked || needsList
      ? [{ code: 'other', name: words.evidenceOther }]
      : []),
  ];
  return (
    <form onSubmit={submit}>
      <p class="quiet">{words.evidenceIntro}</p>
      {field('source', words.evidenceSource)}
      <fieldset class="choices">
        <legend>{words.evidenceWhat}</legend>
        {choices.map(({ code, name }) => (
          <label class="check" key={code}>
            <input
              type="radio"
              name={`found-${receipt.id}`}
              checked={found === code}
              onChange={() => setFound(code)}
            />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      {found === 'other' && !isUnasked ? <p class="quiet">{words.evidenceOtherNext}</p> : null}
      {found !== 'receipt' && needsList ? (
        <>
          <Field
            label={words.listedAt}
            type="datetime-local"
            value={listedAt}
            onInput={setListedAt}
            autocomplete="off"
          />
          {receipt.device_retired ? (
            <label class="check">
              <input type="checkbox" required />
              <span>{words.cannotUpload}</span>
            </label>
          ) : null}
        </>
      ) : null}
      {found === 'receipt' ? (
        <>
          {field('invoice_number', `${words.ev_invoice_number} (${receipt.invoice_number})`)}
          {field('total', words.ev_total)}
          {field('receipt_number', words.receiptNo)}
          {field('total_receipt_number', words.totalReceiptNo)}
          {field('internal_data', words.internalData)}
          {field('receipt_signature', words.signature)}
          {field('sdc_id', words.sdc)}
          {field('signed_at', words.signedAt, 'datetime-local')}
        </>
      ) : null}
      <Button type="submit" busy={busy}>
        {words.use}
      </Button>
    </form>
  );
}

/**
 * What went to the device, what came back each time, and how far its counter was before and is now.
 * Where an answer holds a whole signature that could not be taken as one, it is there to be
 * confirmed: nobody types what the device has said.
 */
function Known({
  receipt,
  busy,
  onTake,
}: {
  receipt: ReceiptView;
  busy: boolean;
  onTake: (() => void) | null;
}) {
  const { words, api, language } = useFrame();
  const [doubt, setDoubt] = useState<DoubtView | null>(null);
  useEffect(() => {
    api.doubt(receipt.id).then(setDoubt, () => {});
  }, [receipt.id, receipt.updated_at]);
  if (!doubt) return null;
  const moment = (text: string) =>
    new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'medium' }).format(
      new Date(text),
    );
  return (
    <>
      {doubt.offered && onTake ? (
        <section class="offered" aria-label={words.keptAnswer}>
          <h3>{words.keptAnswer}</h3>
          <p class="quiet">{words.keptAnswerIntro}</p>
          <dl class="evidence">
            <Facts of={doubt.offered} />
          </dl>
          <Button kind="main" busy={busy} onClick={onTake}>
            {words.keptAnswerTake}
          </Button>
        </section>
      ) : null}
      <details>
        <summary>{words.doubtKnown}</summary>
        <p>
          {doubt.next_try_at
            ? words.doubtNext.replace('{time}', moment(doubt.next_try_at))
            : words.doubtNoNext}
        </p>
        <p>
          {words.doubtCounter
            .replace('{number}', doubt.invoice_number ?? '–')
            .replace('{before}', doubt.total_before ?? '–')
            .replace('{now}', doubt.total_now ?? '–')}
        </p>
        <ol class="sends">
          {doubt.sends.map((each) => (
            <li key={each.started_at}>
              {moment(each.started_at)}: {words[`out_${each.outcome ?? 'open'}` as 'out_open']}
              {each.device_code || each.device_text ? (
                <span class="device">
                  {words.deviceSays}:{' '}
                  <bdi>
                    {each.device_code} {each.device_text}
                  </bdi>
                </span>
              ) : null}
            </li>
          ))}
        </ol>
        {doubt.request ? (
          <>
            <h3>{words.doubtRequest}</h3>
            <pre class="request" dir="ltr" tabIndex={0}>
              {pretty(doubt.request)}
            </pre>
          </>
        ) : null}
      </details>
    </>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 1);
  } catch {
    return text;
  }
}
