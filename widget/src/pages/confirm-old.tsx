import type { Views } from './api.ts';
import { money, usePage } from './page.ts';
import { filled } from './words.ts';

type Row = Views['documents']['documents'][number];

/**
 * Documents that nothing but their age kept from being sealed: whoever may confirm sees which they
 * are and what they come to, and confirms all of them with one press. What carries more of a risk
 * than its age is confirmed one by one, in the panel.
 */
export function ConfirmOld({
  rows,
  isBusy,
  onConfirm,
}: {
  rows: Row[];
  isBusy: boolean;
  onConfirm(): void;
}) {
  const { words, language } = usePage();
  if (rows.length === 0) return null;
  return (
    <div class="notice wait">
      <p>{filled(words.oldOnes, { n: rows.length })}</p>
      <ul>
        {rows.map((row) => (
          <li key={`${row.module}/${row.document_id}`}>
            <bdi>{row.document_number}</bdi> <span class="quiet">{row.document_date}</span>{' '}
            <bdi>{row.customer_name}</bdi>{' '}
            <bdi>
              {row.currency} {money(row.total, language)}
            </bdi>
          </li>
        ))}
      </ul>
      <button type="button" class="button" disabled={isBusy} onClick={onConfirm}>
        {filled(words.sealOld, { n: rows.length })}
      </button>
    </div>
  );
}
