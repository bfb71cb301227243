import { useEffect, useId, useRef } from 'preact/hooks';

type FactorWords = {
  code: string;
  recoveryCode: string;
  recoveryInstead: string;
  codeInstead: string;
  rememberDevice: string;
};

/** What is given as the second factor, as it is typed. */
export type Typed = { kind: 'code' | 'recovery'; text: string; remember: boolean };
export const nothingTyped: Typed = { kind: 'code', text: '', remember: false };

/** As the server takes it. */
export const proofOf = ({ kind, text, remember }: Typed) => ({
  ...(kind === 'code' ? { code: text.replace(/\s/g, '') } : { recovery_code: text }),
  ...(remember ? { remember_device: true } : {}),
});

type Props = { words: FactorWords; value: Typed; onChange(value: Typed): void; focus?: boolean };

/**
 * Six digits of the authenticator, or a recovery code where it is lost; and whether this device
 * shall be remembered.
 */
export function FactorFields({ words, value, onChange, focus = false }: Props) {
  const id = useId();
  const isCode = value.kind === 'code';
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (focus) field.current?.focus();
  }, [focus, value.kind]);
  const more = {
    autocomplete: isCode ? 'one-time-code' : 'off',
    inputMode: isCode ? 'numeric' : 'text',
    spellcheck: false,
  } as object;
  return (
    <>
      <p class="field">
        <label for={id}>{isCode ? words.code : words.recoveryCode}</label>
        <input
          id={id}
          ref={field}
          dir="ltr"
          required
          value={value.text}
          {...more}
          onInput={(event) => onChange({ ...value, text: event.currentTarget.value })}
        />
        <button
          type="button"
          class="button link"
          onClick={() => onChange({ ...value, kind: isCode ? 'recovery' : 'code', text: '' })}
        >
          {isCode ? words.recoveryInstead : words.codeInstead}
        </button>
      </p>
      <label class="check">
        <input
          type="checkbox"
          checked={value.remember}
          onChange={(event) => onChange({ ...value, remember: event.currentTarget.checked })}
        />
        <span>{words.rememberDevice}</span>
      </label>
    </>
  );
}
