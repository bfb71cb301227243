import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Waiting } from '../ui/parts.tsx';
import { type Loaded, usePage } from './page.ts';

type Children = { children?: ComponentChildren };

/** A card with a heading. */
export function Card({
  title,
  children,
  actions,
  tone,
}: Children & { title: string; actions?: ComponentChildren; tone?: 'bad' | 'wait' | 'good' }) {
  return (
    <section class={`card ${tone ?? ''}`}>
      <div class="card-head">
        <h2>{title}</h2>
        {actions ? <div class="actions">{actions}</div> : null}
      </div>
      {children}
    </section>
  );
}

/** Loading, failed, or there. */
export function Shown<T>({
  of,
  children,
}: {
  of: Loaded<T>;
  children: (data: T) => ComponentChildren;
}) {
  const { words } = usePage();
  if (of.data !== null) return <>{children(of.data)}</>;
  if (!of.problem) return <Waiting text={words.loading} />;
  return (
    <div class="notice bad" role="alert">
      <p>{of.problem}</p>
      <button type="button" class="button plain" onClick={of.reload}>
        {words.retry}
      </button>
    </div>
  );
}

export function Message({ text, isGood }: { text: string; isGood?: boolean }) {
  return (
    <p role={isGood ? 'status' : 'alert'} class={text ? `notice ${isGood ? 'good' : 'bad'}` : ''}>
      {text}
    </p>
  );
}

/** Columns with a heading each; on a narrow page each row becomes a small card with its labels. */
export function Table({
  columns,
  rows,
  empty,
}: {
  columns: string[];
  rows: { key: string; cells: ComponentChildren[] }[];
  empty: string;
}) {
  if (rows.length === 0) return <p class="quiet">{empty}</p>;
  return (
    <table>
      <thead>
        <tr>
          {columns.map((column) => (
            <th scope="col" key={column}>
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.key}>
            {row.cells.map((cell, index) => (
              <td data-label={columns[index]} key={columns[index]}>
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export const Tag = ({
  children,
  tone,
}: Children & { tone?: 'good' | 'bad' | 'wait' | undefined }) => (
  <span class={`tag ${tone ?? ''}`}>{children}</span>
);

type FieldProps = {
  label: string;
  value: string;
  onInput(value: string): void;
  type?: 'text' | 'password' | 'email' | 'date' | 'color' | 'number' | 'datetime-local' | 'search';
  required?: boolean;
  hint?: string;
  autocomplete?: string;
  mode?: 'numeric' | 'tel' | 'url';
};

export function Text({
  label,
  value,
  onInput,
  type = 'text',
  required = true,
  hint,
  autocomplete,
  mode,
}: FieldProps) {
  const id = useId();
  const rest = {
    type,
    autocomplete: autocomplete ?? 'off',
    inputMode: mode,
    ...(hint ? { 'aria-describedby': `${id}-hint` } : {}),
  } as object;
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        value={value}
        required={required}
        {...rest}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {hint ? (
        <span class="quiet" id={`${id}-hint`}>
          {hint}
        </span>
      ) : null}
    </p>
  );
}

export function Lines({
  label,
  value,
  onInput,
  hint,
}: {
  label: string;
  value: string;
  onInput(value: string): void;
  hint?: string;
}) {
  const id = useId();
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        rows={3}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {hint ? <span class="quiet">{hint}</span> : null}
    </p>
  );
}

export function Pick({
  label,
  value,
  choices,
  onChange,
}: {
  label: string;
  value: string;
  choices: [value: string, name: string][];
  onChange(value: string): void;
}) {
  const id = useId();
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {choices.map(([code, name]) => (
          <option value={code} key={code}>
            {name}
          </option>
        ))}
      </select>
    </p>
  );
}

export function Check({
  label,
  checked,
  onChange,
  hint,
}: {
  label: string;
  checked: boolean;
  onChange(checked: boolean): void;
  hint?: string;
}) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>
        {label}
        {hint ? <span class="quiet">{hint}</span> : null}
      </span>
    </label>
  );
}

/** A form whose submission is one act. */
export function Form({
  children,
  onSubmit,
  submit,
  isBusy,
  kind = 'main',
}: Children & { onSubmit(): void; submit: string; isBusy: boolean; kind?: 'main' | 'plain' }) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      <button type="submit" class={`button ${kind}`} disabled={isBusy}>
        {submit}
      </button>
    </form>
  );
}

/** A dialog of the browser's own: focus stays inside, Escape closes it. */
export function Dialog({
  title,
  children,
  onClose,
}: Children & { title: string; onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { words } = usePage();
  const id = useId();
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose} onCancel={onClose}>
      <div class="card-head">
        <h2 id={id}>{title}</h2>
        <button type="button" class="button link" onClick={onClose}>
          {words.close}
        </button>
      </div>
      {children}
    </dialog>
  );
}

/**
 * Bars per day: a picture for the eye, a table for whoever cannot see it. One bar a day, so that a
 * gap is seen as a gap.
 */
export function Bars({
  title,
  days,
  unit,
}: {
  title: string;
  days: { day: string; value: number }[];
  unit: string;
}) {
  const top = Math.max(1, ...days.map((each) => each.value));
  const width = 100 / Math.max(1, days.length);
  const total = days.reduce((sum, each) => sum + each.value, 0);
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <svg
        viewBox="0 0 100 32"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${total} ${unit}`}
      >
        {days.map((each, index) => {
          const height = (each.value / top) * 30;
          return (
            <rect
              key={each.day}
              class="bar"
              x={index * width + width * 0.15}
              y={31 - height}
              width={width * 0.7}
              height={Math.max(height, each.value > 0 ? 0.8 : 0)}
            >
              <title>{`${each.day}: ${each.value}`}</title>
            </rect>
          );
        })}
        <line x1="0" x2="100" y1="31.500" y2="31.500" class="axis" />
      </svg>
      <div class="axis-labels" aria-hidden="true">
        <span>{days[0]?.day}</span>
        <span>{days.at(-1)?.day}</span>
      </div>
    </figure>
  );
}

export const Meter = ({ used, limit, label }: { used: number; limit: number; label: string }) => (
  <p class="meter">
    <span>{label}</span>
    <progress max={limit} value={used} aria-label={label} />
  </p>
);

/** Names and values, those without a value left out. */
export function FactList({ rows }: { rows: [name: string, value: string | null | undefined][] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) =>
        value ? (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}

export function More({ onClick, isBusy }: { onClick: (() => void) | null; isBusy: boolean }) {
  const { words } = usePage();
  return onClick ? (
    <button type="button" class="button plain" disabled={isBusy} onClick={onClick}>
      {words.more}
    </button>
  ) : null;
}

export type Adoption = { sdc_id: string; mrc_number: string; last_invoice_number: string };
export const noAdoption: Adoption = { sdc_id: '', mrc_number: '', last_invoice_number: '' };

/** What is known of a device that another program initialised. */
export function AdoptionFields({
  value,
  onChange,
}: {
  value: Adoption;
  onChange(value: Adoption): void;
}) {
  const { words } = usePage();
  return (
    <>
      <Text
        label={words.sdcId}
        value={value.sdc_id}
        onInput={(sdc_id) => onChange({ ...value, sdc_id })}
      />
      <Text
        label={words.mrc}
        value={value.mrc_number}
        onInput={(mrc_number) => onChange({ ...value, mrc_number })}
      />
      <Text
        label={words.lastInvoice}
        value={value.last_invoice_number}
        onInput={(last_invoice_number) => onChange({ ...value, last_invoice_number })}
        mode="numeric"
      />
    </>
  );
}

export type DeviceAddress = {
  address: string;
  serial: string;
  environment: 'sandbox' | 'production';
};

/** Which device stands where. */
export function DeviceFields({
  value,
  onChange,
}: {
  value: DeviceAddress;
  onChange(value: DeviceAddress): void;
}) {
  const { words } = usePage();
  return (
    <>
      <Text
        label={words.address}
        value={value.address}
        onInput={(address) => onChange({ ...value, address })}
        mode="url"
        hint={words.addressHint}
      />
      <Text
        label={words.serial}
        value={value.serial}
        onInput={(serial) => onChange({ ...value, serial })}
      />
      <Pick
        label={words.environment}
        value={value.environment}
        choices={[
          ['sandbox', words.sandbox],
          ['production', words.production],
        ]}
        onChange={(environment) =>
          onChange({ ...value, environment: environment as DeviceAddress['environment'] })
        }
      />
    </>
  );
}
