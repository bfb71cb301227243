import { useState } from 'preact/hooks';
import { Button } from '../ui/parts.tsx';
import type { ReceiptView } from '../views.ts';
import { useFrame } from './frame.ts';

type Props = {
  receipt: ReceiptView;
  onChange(receipt: ReceiptView): void;
  run(work: () => Promise<void>): void;
};

const papers = ['80mm', '58mm', 'a4', 'a5'] as const;
type Paper = (typeof papers)[number];
const isPaper = (text: string | null): text is Paper => papers.includes(text as Paper);
/** A page that was opened is recorded a moment later; so many looks, so far apart. */
const looks = 8;
const lookMs = 700;

/**
 * The receipt on paper. There is one original: which paper it is on is asked before it is printed,
 * beginning with what the branch has chosen, and every button says what it gives.
 */
export function Papers({ receipt, run, onChange }: Props) {
  const { words, api, language } = useFrame();
  const chosen = receipt.original_paper;
  const [paper, setPaper] = useState<Paper>(isPaper(chosen) ? chosen : 'a4');
  const [notice, setNotice] = useState('');
  const { original } = receipt;
  const on = words[`paper_${paper}`];
  const mayPrint = api.session?.business?.permissions.includes('seal') ?? false;

  const fileName = (isOriginal: boolean) =>
    `${receipt.document_number} receipt ${on.replace(' ', '')}${isOriginal ? '' : ' COPY'}.pdf`;
  const refresh = async () => onChange(await api.receipt(receipt.id));
  const save = (isOriginal: boolean) =>
    run(async () => {
      setNotice('');
      saveBlob(await api.printedPdf(receipt.id, paper, isOriginal), fileName(isOriginal));
      await refresh();
    });
  // The window is opened by the click itself, before the answer is there: afterwards the browser
  // would block it.
  const print = (isOriginal: boolean) => {
    const tab = window.open('', '_blank');
    setNotice('');
    run(async () => {
      if (!tab) {
        saveBlob(await api.printedPdf(receipt.id, paper, isOriginal), fileName(isOriginal));
        setNotice(words.savedInstead);
        return refresh();
      }
      try {
        tab.location.href = await api.printLink(receipt.id, paper, isOriginal);
      } catch (error) {
        tab.close();
        throw error;
      }
      for (let look = 0; look < looks; look++) {
        await new Promise((resolve) => setTimeout(resolve, lookMs));
        const now = await api.receipt(receipt.id);
        if (now.prints > receipt.prints) return onChange(now);
      }
    });
  };
  const readCopy = () =>
    run(async () =>
      saveBlob(await api.pdf(receipt.id, paper), fileName(original?.paper === paper)),
    );

  const when =
    original &&
    new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(
      new Date(original.printed_at),
    );
  const where =
    original &&
    (original.went_with
      ? words[`went_${original.went_with}`]
      : words[`paper_${original.paper as Paper}`]);
  // Where the branch has chosen something else for it, the original waits for that and is not the
  // first thing offered here.
  const isMeantHere = !original && (chosen === null || chosen === paper);
  return (
    <div class="papers">
      <p class="field">
        <label for="paper">{words.paper}</label>
        <select
          id="paper"
          value={paper}
          onChange={(event) => setPaper(event.currentTarget.value as Paper)}
        >
          {papers.map((each) => (
            <option value={each} key={each}>
              {words[`paper_${each}`]}
            </option>
          ))}
        </select>
      </p>
      <p class="quiet">
        {original
          ? filled(words.originalGone, { where: where ?? '', when: when ?? '' })
          : chosen === 'mail' || chosen === 'zoho'
            ? words[`original_${chosen}`]
            : words.originalAsk}
      </p>
      <div class="actions">
        {mayPrint && !original ? (
          <>
            <Button kind={isMeantHere ? 'main' : 'plain'} onClick={() => print(true)}>
              {filled(words.printOriginal, { paper: on })}
            </Button>
            <Button onClick={() => save(true)}>{filled(words.saveOriginal, { paper: on })}</Button>
          </>
        ) : null}
        {mayPrint ? (
          <>
            <Button onClick={() => print(false)}>{filled(words.printCopy, { paper: on })}</Button>
            <Button onClick={() => save(false)}>{filled(words.saveCopy, { paper: on })}</Button>
          </>
        ) : (
          <Button onClick={readCopy}>{filled(words.savePdf, { paper: on })}</Button>
        )}
      </div>
      {notice ? (
        <p class="notice" role="status">
          {notice}
        </p>
      ) : null}
    </div>
  );
}

export function saveBlob(blob: Blob, name: string): void {
  const link = Object.assign(document.createElement('a'), {
    href: URL.createObjectURL(blob),
    download: name,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const filled = (text: string, values: Record<string, string>): string =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
