import { useEffect, useState } from 'preact/hooks';
import { ApiProblem } from '../request.ts';
import { Button, Choice, Field } from '../ui/parts.tsx';
import type { ChoiceLists, Finding, PreflightView } from '../views.ts';
import { useFrame } from './frame.ts';

export type Answers = Record<string, string | string[]>;

/**
 * What stands between a document and its seal: each with its sentence and, where the panel can do
 * it, its fix.
 */
export function Findings({
  preflight,
  answers,
  onAnswer,
  onMapped,
  onSale,
}: {
  preflight: PreflightView;
  answers: Answers;
  onAnswer(answers: Answers): void;
  onMapped(): void;
  onSale(receiptId: string): void;
}) {
  const { words } = useFrame();
  return (
    <ul class="findings">
      {preflight.findings.map((finding) => (
        <li
          class="finding"
          key={`${finding.code}${String(finding.tax_id ?? finding.key ?? finding.field ?? '')}`}
        >
          {finding.fix === 'none' ? null : (
            <span class="tag">{words[`fix_${finding.fix}` as keyof typeof words]}</span>
          )}
          <h3>{finding.title}</h3>
          {(finding.name ?? finding.tax_name) ? (
            <p>
              <bdi>{String(finding.name ?? finding.tax_name)}</bdi>
            </p>
          ) : null}
          <p class="quiet">{finding.detail}</p>
          <Fix
            finding={finding}
            preflight={preflight}
            answers={answers}
            onAnswer={onAnswer}
            onMapped={onMapped}
            onSale={onSale}
          />
        </li>
      ))}
    </ul>
  );
}

function Fix({
  finding,
  preflight,
  answers,
  onAnswer,
  onMapped,
  onSale,
}: {
  finding: Finding;
  preflight: PreflightView;
  answers: Answers;
  onAnswer(answers: Answers): void;
  onMapped(): void;
  onSale(receiptId: string): void;
}) {
  const { words, api } = useFrame();
  const text = (key: string) => String(answers[key] ?? '');
  const set = (key: string) => (value: string) => onAnswer({ ...answers, [key]: value });
  const mayConfirm = api.session?.business?.permissions.includes('confirm');
  const confirm = (code: string, label: string, what: Answers = {}) =>
    mayConfirm ? (
      <label class="check">
        <input
          type="checkbox"
          checked={isAnswered(finding, answers)}
          onChange={(event) =>
            onAnswer({
              ...answers,
              ...what,
              confirm: event.currentTarget.checked
                ? [...[...(answers.confirm ?? [])].filter((each) => each !== code), code]
                : [...(answers.confirm ?? [])].filter((each) => each !== code),
            })
          }
        />
        <span>{label}</span>
      </label>
    ) : (
      <span class="quiet">{words.askConfirm}</span>
    );
  switch (finding.code) {
    case 'purchase_code_missing':
    case 'purchase_code_malformed':
      return (
        <Field
          label={words.purchaseCode}
          value={text('purchase_code')}
          onInput={set('purchase_code')}
          autocomplete="off"
        />
      );
    case 'buyer_mobile_missing':
    case 'buyer_mobile_malformed':
      return (
        <Field
          label={words.buyerMobile}
          value={text('buyer_mobile')}
          onInput={set('buyer_mobile')}
          mode="tel"
          autocomplete="off"
        />
      );
    case 'buyer_tin_malformed':
      return (
        <Field
          label={words.buyerTin}
          value={text('buyer_tin')}
          onInput={set('buyer_tin')}
          mode="numeric"
          autocomplete="off"
        />
      );
    case 'payment_method_missing':
      return (
        <Choice
          label={words.paymentMethod}
          value={text('payment_method')}
          choices={preflight.payment_methods}
          empty={words.choose}
          onChange={set('payment_method')}
        />
      );
    case 'reason_missing':
      return (
        <Choice
          label={words.reason}
          value={text('reason_code')}
          choices={preflight.reasons}
          empty={words.choose}
          onChange={set('reason_code')}
        />
      );
    case 'refund_sale_missing':
      return (
        <Choice
          label={words.sale}
          value={text('sale_receipt_id')}
          choices={preflight.sales
            .map((sale) => ({
              code: sale.receipt_id,
              name: `${sale.document_number} · ${sale.document_date} · ${sale.total}`,
            }))
            .map((each) => ({ ...each, code: each.code }))}
          empty={words.choose}
          onChange={(id) => {
            set('sale_receipt_id')(id);
            onSale(id);
          }}
        />
      );
    case 'before_go_live':
      return confirm('before_go_live', words.confirmRisk);
    case 'before_production':
      return confirm('before_production', words.confirmProduction);
    case 'was_exempt':
      return confirm('was_exempt', words.confirmProduction);
    case 'sealed_elsewhere':
      return confirm('sealed_elsewhere', words.confirmElsewhere);
    case 'refund_needs_takeover':
      return <TakeoverFix saleId={String(finding.sale_receipt_id)} onDone={onMapped} />;
    case 'document_old':
      return confirm('document_old', words.confirmOld);
    case 'number_sealed_before':
      return confirm(
        'number_sealed_before',
        finding.unread === true ? words.confirmOther : words.confirmNumber,
      );
    case 'buyer_name_damaged':
      return confirm('buyer_name_damaged', words.confirmName);
    case 'exchange_rate_unlikely':
      // What is confirmed is the rate that stands here, not whatever the document has by the time
      // of the press.
      return confirm('exchange_rate_unlikely', words.confirmRate, {
        confirmed_rate: String(finding.rate),
      });
    case 'tax_unmapped':
    case 'tax_rate_differs':
      if (finding.tax_id === undefined) return null;
      return (
        <MappingFix
          kind="tax"
          id={String(finding.tax_id)}
          fields={['tax_class']}
          onMapped={onMapped}
        />
      );
    case 'location_unmapped':
      return (
        <MappingFix
          kind="location"
          id={String(finding.key)}
          fields={['branch_id']}
          onMapped={onMapped}
        />
      );
    case 'item_unmapped':
    case 'free_line_unmapped':
    case 'code_unknown':
      if (finding.of === 'charge')
        return (
          <MappingFix
            kind="charge"
            id={String(finding.key)}
            fields={itemFields}
            onMapped={onMapped}
          />
        );
      return (
        <MappingFix kind="item" id={String(finding.key)} fields={itemFields} onMapped={onMapped} />
      );
    case 'charge_unmapped':
      return (
        <MappingFix
          kind="charge"
          id={String(finding.key)}
          fields={[...itemFields, 'tax_class']}
          onMapped={onMapped}
        />
      );
    default:
      return null;
  }
}

/** What is left of the sale that a credit note refunds, item by item. */
export function LeftOfSale({ preflight }: { preflight: PreflightView }) {
  const { words, language } = useFrame();
  const money = (amount: string) =>
    new Intl.NumberFormat(language, { minimumFractionDigits: 2 }).format(
      amount as unknown as number,
    );
  if (preflight.refund_left.length === 0) return null;
  return (
    <>
      <h3>{words.refundLeft}</h3>
      <ul class="steps">
        {preflight.refund_left.map((row, index) => (
          <li key={`${row.name} ${index}`}>
            <bdi>{row.name}</bdi>
            <span class="quiet">
              {words.refundLeftOf
                .replace('{left}', `${preflight.base_currency} ${money(row.left)}`)
                .replace('{sold}', money(row.sold))
                .replace('{quantity}', row.quantity)
                .replace('{price}', row.unit_price)
                .replace('{asked}', money(row.asked))}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

/**
 * What the authority refused about the buyer can be said anew here, before the same document is
 * sealed again.
 */
export function Correction({
  code,
  answers,
  onAnswer,
}: {
  code: string;
  answers: Answers;
  onAnswer(answers: Answers): void;
}) {
  const { words } = useFrame();
  const key = code.startsWith('refused_purchase_code')
    ? 'purchase_code'
    : code === 'refused_buyer_tin'
      ? 'buyer_tin'
      : null;
  if (!key) return null;
  const label = key === 'purchase_code' ? words.purchaseCode : words.buyerTin;
  return (
    <Field
      label={label}
      value={String(answers[key] ?? '')}
      onInput={(value) => onAnswer({ ...answers, [key]: value })}
      required={false}
      autocomplete="off"
    />
  );
}

/** Which findings an answer typed here settles, so that the button can appear. */
export const isAnswered = (finding: Finding, answers: Answers): boolean => {
  const key = (
    {
      purchase_code_missing: 'purchase_code',
      purchase_code_malformed: 'purchase_code',
      buyer_mobile_missing: 'buyer_mobile',
      buyer_mobile_malformed: 'buyer_mobile',
      buyer_tin_malformed: 'buyer_tin',
      payment_method_missing: 'payment_method',
      reason_missing: 'reason_code',
      refund_sale_missing: 'sale_receipt_id',
    } as Record<string, string>
  )[finding.code];
  if (key) return String(answers[key] ?? '').trim() !== '';
  const isThisRate =
    finding.code !== 'exchange_rate_unlikely' || answers.confirmed_rate === String(finding.rate);
  return isThisRate && (answers.confirm ?? []).includes(finding.code);
};

const itemFields = ['item_class', 'item_type', 'package_unit', 'quantity_unit', 'origin'];

/**
 * An administrator says, with what the authority shows, that the present device takes the refund of
 * a sale which another one signed.
 */
function TakeoverFix({ saleId, onDone }: { saleId: string; onDone(): void }) {
  const { words, api } = useFrame();
  const [value, setValue] = useState({ source: '', answer: '' });
  const [message, setMessage] = useState('');
  const [isBusy, setBusy] = useState(false);
  if (!api.session?.business?.permissions.includes('manage_devices'))
    return <p class="quiet">{words.askAdmin}</p>;
  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await api.takeOver(saleId, value);
      onDone();
    } catch (error) {
      setMessage(
        error instanceof ApiProblem
          ? `${error.problem.title} ${error.problem.detail}`
          : words.offline,
      );
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={save}>
      <Field
        label={words.takeoverSource}
        value={value.source}
        onInput={(source) => setValue({ ...value, source })}
        autocomplete="off"
      />
      <Field
        label={words.takeoverAnswer}
        value={value.answer}
        onInput={(answer) => setValue({ ...value, answer })}
        autocomplete="off"
      />
      <p role="alert">{message}</p>
      <Button type="submit" busy={isBusy}>
        {words.takeoverConfirm}
      </Button>
    </form>
  );
}

/** A business admin chooses once, here, and it holds for every document. */
function MappingFix({
  kind,
  id,
  fields,
  onMapped,
}: {
  kind: string;
  id: string;
  fields: string[];
  onMapped(): void;
}) {
  const { words, api } = useFrame();
  const isAdmin = api.session?.business?.permissions.includes('manage_business');
  const [choices, setChoices] = useState<ChoiceLists | null>(null);
  const [value, setValue] = useState<Record<string, string>>({});
  const [message, setMessage] = useState('');
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    if (isAdmin)
      api.mappings(kind).then(
        (found) => setChoices(found.choices),
        () => setChoices({}),
      );
  }, [kind, isAdmin]);
  if (!isAdmin) return <p class="quiet">{words.askAdmin}</p>;
  if (!choices) return null;
  const labels: Record<string, string> = {
    tax_class: words.taxClass,
    item_class: words.itemClass,
    item_type: words.itemType,
    package_unit: words.packageUnit,
    quantity_unit: words.quantityUnit,
    origin: words.origin,
    branch_id: words.branch,
  };
  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await api.map(kind, id, value);
      onMapped();
    } catch (error) {
      setMessage(
        error instanceof ApiProblem
          ? `${error.problem.title} ${error.problem.detail}`
          : words.offline,
      );
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={save}>
      {fields.map((field) => (
        <Choice
          key={field}
          label={labels[field] ?? field}
          value={value[field] ?? ''}
          choices={(choices[field] ?? []).map((each) =>
            field === 'branch_id' ? { code: each.code, name: each.name } : each,
          )}
          empty={words.choose}
          onChange={(code) => setValue({ ...value, [field]: code })}
        />
      ))}
      <p role="alert">{message}</p>
      <Button type="submit" busy={isBusy}>
        {words.save}
      </Button>
    </form>
  );
}
