import { AppError } from '../../platform/app-error.ts';

/** The proposal that a second person has looked at, by its own time. */
export type Seen = { proposed_at: string };

/**
 * The second person's word holds for what they saw: the first one may have taken it back and
 * proposed something else between the look and the press, and then would have had both words alone.
 */
export function mustBeAsSeen(proposedAt: Date, seen: Seen): void {
  if (new Date(seen.proposed_at).getTime() !== proposedAt.getTime())
    throw new AppError('version_conflict');
}
