import { useState } from 'preact/hooks';
import type { Views } from './api.ts';
import { useAct, usePage } from './page.ts';
import { Form, Message, Text } from './parts.tsx';
import { filled } from './words.ts';

type Row = Views['documents']['documents'][number];

/** The server takes so many at once; what goes beyond goes with the next call. */
const atOnce = 200;

/**
 * Whoever may settle says that another system sealed the chosen documents of before production, and
 * why; or that it did not after all.
 */
export function Elsewhere({ chosen, onDone }: { chosen: Row[]; onDone(): void }) {
  const { words, api } = usePage();
  const [reason, setReason] = useState('');
  const { act, isBusy, message, isGood } = useAct();
  const toMark = chosen.filter(
    (row) => row.may_be_elsewhere && row.standing !== 'sealed_elsewhere',
  );
  const marked = chosen.filter((row) => row.standing === 'sealed_elsewhere');
  const send = (rows: Row[], path: string, more: object, done: string) =>
    act(async () => {
      for (let at = 0; at < rows.length; at += atOnce) {
        const documents = rows
          .slice(at, at + atOnce)
          .map(({ module, document_id }) => ({ module, document_id }));
        await api.post(path, { documents, ...more });
      }
      setReason('');
      onDone();
    }, done);
  return (
    <>
      {toMark.length > 0 ? (
        <Form
          onSubmit={() =>
            void send(toMark, '/documents/sealed-elsewhere', { reason }, words.elsewhereMarked)
          }
          submit={filled(words.markElsewhere, { n: toMark.length })}
          isBusy={isBusy}
        >
          <Text
            label={words.elsewhereWhy}
            hint={words.elsewhereWhyHint}
            value={reason}
            onInput={setReason}
          />
        </Form>
      ) : null}
      {marked.length > 0 ? (
        <p>
          <button
            type="button"
            class="button plain"
            disabled={isBusy}
            onClick={() =>
              void send(
                marked,
                '/documents/sealed-elsewhere/taken-back',
                {},
                words.elsewhereTakenBack,
              )
            }
          >
            {filled(words.takeBackElsewhere, { n: marked.length })}
          </button>
        </p>
      ) : null}
      <Message text={message} isGood={isGood} />
    </>
  );
}
