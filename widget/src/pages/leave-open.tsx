import { useEffect, useRef } from 'preact/hooks';
import { ApiProblem } from '../request.ts';
import { usePage } from './page.ts';
import { filled } from './words.ts';

/**
 * How many documents of the books before keep others from being connected; null where it is
 * something else that went wrong.
 */
export const unsettledOf = (error: unknown): number | null =>
  error instanceof ApiProblem && error.problem.code === 'books_unsettled'
    ? Number(error.problem.count)
    : null;

/**
 * Other books are connected although documents of the ones before are not settled, by a person who
 * has read how many there are. The server takes that number and no other: where it has changed
 * meanwhile, it is asked about again.
 */
export function LeaveOpen({
  count,
  isBusy,
  onLeave,
  onCancel,
}: {
  count: number;
  isBusy: boolean;
  onLeave(): void;
  onCancel(): void;
}) {
  const { words } = usePage();
  const asked = useRef<HTMLParagraphElement>(null);
  // The button that led here may be far below.
  useEffect(() => asked.current?.focus(), [count]);
  return (
    <div class="notice wait">
      <p ref={asked} tabIndex={-1}>
        {filled(words.leaveOpenWhat, { n: count })}
      </p>
      <div class="row">
        <button type="button" class="button" disabled={isBusy} onClick={onLeave}>
          {filled(words.leaveOpen, { n: count })}
        </button>
        <button type="button" class="button plain" disabled={isBusy} onClick={onCancel}>
          {words.cancel}
        </button>
      </div>
    </div>
  );
}
