import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

type Children = { children?: ComponentChildren };

/**
 * One piece of the panel with its heading; the heading takes focus when a person's action brought
 * it here.
 */
export function Section({
  title,
  tone,
  focus,
  children,
}: Children & { title: string; tone?: 'good' | 'bad' | 'wait'; focus?: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (focus) heading.current?.focus();
  }, [focus, title]);
  return (
    <section class={`section ${tone ?? ''}`}>
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      {children}
    </section>
  );
}

export function Button({
  children,
  onClick,
  kind = 'plain',
  busy,
  type = 'button',
}: Children & {
  onClick?: () => void;
  kind?: 'main' | 'plain' | 'link';
  busy?: boolean;
  type?: 'button' | 'submit';
}) {
  return (
    <button
      type={type}
      class={`button ${kind}`}
      onClick={onClick}
      aria-disabled={busy}
      disabled={busy}
    >
      {children}
    </button>
  );
}

export function Field({
  label,
  value,
  onInput,
  type = 'text',
  required = true,
  autocomplete,
  mode,
}: {
  label: string;
  value: string;
  onInput(value: string): void;
  type?: 'text' | 'password' | 'datetime-local';
  required?: boolean;
  autocomplete?: string;
  mode?: 'numeric' | 'tel' | 'text';
}) {
  const id = useId();
  const shape = { type, autocomplete, inputMode: mode } as object;
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        value={value}
        required={required}
        {...shape}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </p>
  );
}

export function Choice({
  label,
  value,
  choices,
  empty,
  onChange,
}: {
  label: string;
  value: string;
  choices: { code: string; name: string }[];
  empty: string;
  onChange(value: string): void;
}) {
  const id = useId();
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        required
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        <option value="">{empty}</option>
        {choices.map((choice) => (
          <option value={choice.code} key={choice.code}>
            {choice.code === choice.name ? choice.name : `${choice.name} (${choice.code})`}
          </option>
        ))}
      </select>
    </p>
  );
}

/** Names and values; a value that people carry elsewhere can be copied. */
export function Facts({
  rows,
  copy,
  copied,
}: {
  rows: { name: string; value: string | null; copies?: boolean }[];
  copy: string;
  copied: string;
}) {
  return (
    <dl class="facts">
      {rows
        .filter((row) => row.value)
        .map((row) => (
          <div key={row.name}>
            <dt>{row.name}</dt>
            <dd>
              <bdi>{row.value}</bdi>
              {row.copies ? (
                <Copy
                  text={row.value ?? ''}
                  label={`${copy}: ${row.name}`}
                  word={copy}
                  done={copied}
                />
              ) : null}
            </dd>
          </div>
        ))}
    </dl>
  );
}

export function Copy({
  text,
  label,
  word,
  done,
}: {
  text: string;
  label: string;
  word: string;
  done: string;
}) {
  const [isDone, setDone] = useState(false);
  const copyText = async () => {
    await write(text);
    setDone(true);
    setTimeout(() => setDone(false), 1_600);
  };
  return (
    <button
      type="button"
      class="button link small"
      aria-label={isDone ? done : label}
      onClick={copyText}
    >
      {isDone ? done : word}
    </button>
  );
}

async function write(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // The frame may not hold the permission; the old way needs none.
    const area = Object.assign(document.createElement('textarea'), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
}

export function Waiting({ text, next }: { text: string; next?: string }) {
  return (
    <div class="waiting">
      <span class="spinner" aria-hidden="true" />
      <p>
        <strong>{text}</strong>
        {next ? <span class="quiet">{next}</span> : null}
      </p>
    </div>
  );
}
