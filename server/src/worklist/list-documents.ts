import { describeProblem, type Problem, type StoredProblem } from '@muhuri/shared/problems';
import { getBusiness } from '../businesses/index.ts';
import { readMappings } from '../catalogue/index.ts';
import { readConnectionHealth } from '../connections/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import {
  countElsewhere,
  countUnsettledOf,
  countUnsure,
  findLongestDue,
  type MonthSum,
  sumByStatus,
} from './count-documents.store.ts';
import type { WorklistCursor, DocumentStatus } from './document-status.ts';
import { listDocumentStatuses, type WorklistRow } from './worklist.store.ts';

/**
 * Who has to act: whoever may seal, an administrator, nobody because it goes on by itself, or
 * nobody at all.
 */
type Who = 'person' | 'admin' | 'wait' | 'nobody';
export type ListedRow = Omit<WorklistRow, 'problem'> & { problem: Problem | null; who: Who };

export type WorklistQuery = {
  month: string | null;
  standings: DocumentStatus[] | null;
  branchId: string | null;
  documentIds: string[] | null;
  search: string | null;
  limit: number;
  after: WorklistCursor | null;
};

/** What is not settled between Zoho and the authority. */
const open: DocumentStatus[] = [
  'to_seal',
  'waiting',
  'in_doubt',
  'signed_twice',
  'refused',
  'drifted',
  'before_production',
  'rehearsed',
];
/** A list that was looked through longer ago than this says nothing about what is missing. */
const freshMs = 30 * 60_000;
/** What was heard of a moment ago is only being read. */
const heardMs = 10 * 60_000;

const monthOf = (month: string): { from: string; to: string } => {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return {
    from: `${month}-01`,
    to: new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10),
  };
};

/**
 * The bookkeeper's list: every document since go-live that is not settled, each with one sentence,
 * one next step and who must act.
 */
export const listDocuments = async (ctx: Context, ask: WorklistQuery): Promise<ListedRow[]> => {
  const span = ask.month ? monthOf(ask.month) : { from: null, to: null };
  const rows = await ctx.transaction(async (tx) => {
    const { goLiveDate, settings } = await getBusiness(tx);
    const places = ask.branchId ? Object.entries((await readMappings(tx)).location) : [];
    return listDocumentStatuses(tx, {
      goLiveDate,
      sealsApproved: settings.auto_seal === 'approved',
      ...span,
      standings: ask.standings ?? open,
      branch: ask.branchId
        ? {
            id: ask.branchId,
            locationIds: places
              .filter(([, to]) => to.branch_id === ask.branchId)
              .map(([key]) => key),
          }
        : null,
      documentIds: ask.documentIds,
      search: ask.search,
      limit: ask.limit,
      after: ask.after,
    });
  });
  return rows.map((row) => {
    const problem =
      (isOfOthers(row.problem) ? row.problem : always(row.standing)) ??
      (row.elsewhere ? null : row.problem) ??
      usual(row.standing);
    return {
      ...row,
      problem: problem && describeProblem({ ...problem, module: row.module }, ctx.language),
      who: whoOf(row.standing, problem, ctx.language),
    };
  });
};

/** What stands in the books of before is no question of when its branch began. */
const isOfOthers = (problem: StoredProblem | null): boolean =>
  problem?.code === 'document_of_other_books';

const always = (standing: DocumentStatus): StoredProblem | null =>
  standing === 'before_production'
    ? { code: 'before_production' }
    : standing === 'rehearsed'
      ? { code: 'test_receipt_only' }
      : null;

const usual = (standing: DocumentStatus): StoredProblem | null =>
  standing === 'to_seal'
    ? { code: 'to_seal' }
    : standing === 'waiting'
      ? { code: 'waits_for_device' }
      : standing === 'in_doubt'
        ? { code: 'maybe_signed' }
        : null;

function whoOf(standing: DocumentStatus, problem: StoredProblem | null, language: string): Who {
  if (
    standing === 'sealed' ||
    standing === 'sealed_elsewhere' ||
    standing === 'exempt' ||
    standing === 'not_due'
  )
    return 'nobody';
  const fix = problem && describeProblem(problem, language).fix;
  if (fix === 'mapping' || fix === 'device') return 'admin';
  return fix === 'wait' ? 'wait' : 'person';
}

/**
 * When the older of the two lists of documents was looked through, in milliseconds; 0 where one
 * never was, or failed.
 */
async function lookedThroughAt(tx: Tx): Promise<number> {
  const { polled } = await readConnectionHealth(tx);
  return Math.min(
    ...['invoices', 'creditnotes']
      .map((module) => polled[module])
      .map((each) => (each?.at && !each.problem ? Date.parse(each.at) : 0)),
  );
}

const toTime = (ms: number): string | null => (ms > 0 ? new Date(ms).toISOString() : null);

/** When Zoho was last looked through for changes; null where it was not yet. */
export const describeRow = (ctx: Context): Promise<string | null> =>
  ctx.transaction(async (tx) => toTime(await lookedThroughAt(tx)));

/** How many documents of these books would be left behind, if others were connected. */
export async function countUnsettled(tx: Tx, organizationId: string): Promise<number> {
  const { goLiveDate, settings } = await getBusiness(tx);
  return countUnsettledOf(
    tx,
    { goLiveDate, sealsApproved: settings.auto_seal === 'approved' },
    organizationId,
  );
}

export type Month = {
  from: string;
  to: string;
  sums: MonthSum[];
  /** Documents that should be sealed and are not. */
  missing: number;
  drifted: number;
  /**
   * Documents of before production that another system has sealed, as people have said: their seals
   * are not ours to show.
   */
  sealedElsewhere: number;
  /**
   * Documents that the device signed late, after they were settled or sent anew: whether they are
   * sealed once, twice or not is for a person to say.
   */
  signedTwice: number;
  /**
   * Documents that could not be read again since something changed: whether they are sealed as they
   * are now is not known.
   */
  unsure: number;
  lookedAt: string | null;
  /**
   * True only where every document is sealed, here or elsewhere, or exempt, and Zoho was looked
   * through just now.
   */
  isComplete: boolean;
};

/** A month's documents against their seals; *nothing missing* is said only where that is known. */
export const closeMonth =
  (ports: { clock: Clock }) =>
  async (ctx: Context, month: string): Promise<Month> => {
    const { from, to } = monthOf(month);
    return ctx.transaction(async (tx) => {
      const { goLiveDate, settings } = await getBusiness(tx);
      const now = ports.clock.now();
      const sums = await sumByStatus(
        tx,
        { goLiveDate, sealsApproved: settings.auto_seal === 'approved' },
        from,
        to,
      );
      const unsure = await countUnsure(tx, from, to, new Date(now.getTime() - heardMs));
      const oldest = await lookedThroughAt(tx);
      const count = (statuses: DocumentStatus[]) =>
        sums
          .filter((each) => statuses.includes(each.standing))
          .reduce((sum, each) => sum + each.count, 0);
      const isFresh = oldest > 0 && now.getTime() - oldest < freshMs;
      const missing = count([
        'to_seal',
        'waiting',
        'in_doubt',
        'refused',
        'before_production',
        'rehearsed',
      ]);
      const drifted = count(['drifted']);
      const sealedElsewhere = count(['sealed_elsewhere']);
      const signedTwice = count(['signed_twice']);
      const isComplete = isFresh && missing + drifted + signedTwice + unsure === 0;
      return {
        from,
        to,
        sums,
        missing,
        drifted,
        sealedElsewhere,
        signedTwice,
        lookedAt: toTime(oldest),
        unsure,
        isComplete,
      };
    });
  };

/** How many documents dated in a span of days another system has sealed, as people have said. */
export const sealedElsewhere = async (tx: Tx, from: string, to: string): Promise<number> => {
  const { goLiveDate, settings } = await getBusiness(tx);
  return countElsewhere(
    tx,
    { goLiveDate, sealsApproved: settings.auto_seal === 'approved' },
    from,
    to,
  );
};

/**
 * What has waited longest for its seal although nothing has been begun with it, with the reason;
 * null where nothing does.
 */
export const longestDue = async (tx: Tx) => {
  const { goLiveDate, settings } = await getBusiness(tx);
  const found = await findLongestDue(tx, {
    goLiveDate,
    sealsApproved: settings.auto_seal === 'approved',
  });
  return found && { ...found, isAutomatic: settings.auto_seal !== 'off' };
};
