import type { Views } from './api.ts';
import { useAct, usePage } from './page.ts';
import { Message, Pick } from './parts.tsx';

type Branch = Views['branches']['branches'][number];
const papers = ['80mm', '58mm', 'a4', 'a5', 'mail', 'zoho'] as const;

/**
 * What the receipts of a branch are given out as in the original; everything else of them is a
 * copy.
 */
export function OriginalPaper({ branch, onChange }: { branch: Branch; onChange(): void }) {
  const { words, api } = usePage();
  const { act, message, isGood } = useAct();
  const choose = (paper: string) =>
    act(async () => {
      await api.put(`/branches/${branch.id}`, {
        name: branch.name,
        address: branch.address,
        original_paper: paper || null,
      });
      onChange();
    }, words.saved);
  return (
    <>
      <Pick
        label={words.originalPaper}
        value={branch.original_paper ?? ''}
        choices={[
          ['', words.original_ask],
          ...papers.map((each): [string, string] => [each, words[`original_${each}`]]),
        ]}
        onChange={(paper) => void choose(paper)}
      />
      <p class="quiet">{words.originalPaperHint}</p>
      <Message text={message} isGood={isGood} />
    </>
  );
}
