import { add } from '@muhuri/shared/money';
import { describeProblem, type ProblemCode, problems } from '@muhuri/shared/problems';
import type { AuditListener } from '../audit/index.ts';
import { type BusinessTotals, getBusiness, putTotals } from '../businesses/index.ts';
import { findConnection, readCallHealth, readConnectionHealth } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { longestDue, sealedElsewhere } from '../worklist/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import {
  addToDays,
  countOpen,
  countRest,
  type DayCount,
  listDays,
  sumDays,
} from './report.store.ts';

type Ports = {
  database: Database;
  dialects: Dialects;
  clock: Clock;
  day(at: Date, timeZone: string): string;
};

/**
 * Counts receipts by day as the trail is sealed: each entry once, in the transaction that gives it
 * its place. Numbers therefore cost the same with a hundred receipts and with a million, and are
 * seconds behind.
 */
export const countFromAuditLog =
  (ports: Pick<Ports, 'dialects'>): AuditListener =>
  async (tx, _ctx, entries) => {
    const counts = entries.flatMap((entry): DayCount[] => {
      if (entry.action === 'receipt.signed')
        return [{ receiptId: entry.subject, at: entry.at, outcome: 'signed', code: '' }];
      if (entry.action !== 'receipt.refused') return [];
      const code = (JSON.parse(entry.after ?? '{}') as { code?: string }).code ?? '';
      return [{ receiptId: entry.subject, at: entry.at, outcome: 'refused', code }];
    });
    if (counts.length > 0)
      await addToDays(tx, counts, zoneOf(ports.dialects, (await getBusiness(tx)).country));
  };

/** Numbers of one business over a span of days that ends today. */
export const getStats = (ports: Ports) => async (ctx: Context, days: number) => {
  const { business, rows, open, due, elsewhere, to, from } = await ctx.transaction(async (tx) => {
    const business = await getBusiness(tx);
    const zone = zoneOf(ports.dialects, business.country);
    const now = ports.clock.now();
    const to = ports.day(now, zone);
    const from = ports.day(new Date(now.getTime() - (days - 1) * 86_400_000), zone);
    return {
      business,
      rows: await listDays(tx, from, to),
      open: await countOpen(tx),
      due: await longestDue(tx),
      elsewhere: await sealedElsewhere(tx, from, to),
      to,
      from,
    };
  });
  const real = rows.filter((row) => row.environment === 'production');
  const signed = real.filter((row) => row.outcome === 'signed');
  const refused = real.filter((row) => row.outcome === 'refused');
  const count = (some: typeof rows) => some.reduce((sum, row) => sum + row.count, 0);
  const sum = (some: typeof rows) => add('0', ...some.map((row) => row.total));
  const everyDay = Array.from({ length: days }, (_, i) =>
    new Date(Date.parse(`${from}T00:00:00Z`) + i * 86_400_000).toISOString().slice(0, 10),
  );
  const codes = [...new Set(refused.map((row) => row.code))];
  return {
    from,
    to,
    currency: currencyOf(ports.dialects, business.country),
    signed: count(signed.filter((row) => row.kind === 'sale')),
    refunds: count(signed.filter((row) => row.kind === 'refund')),
    refused: count(refused),
    total: sum(signed.filter((row) => row.kind === 'sale')),
    refunded: sum(signed.filter((row) => row.kind === 'refund')),
    queued: open.queued,
    in_doubt: open.inDoubt,
    due: due?.count ?? 0,
    due_since: due?.since.toISOString() ?? null,
    /** What sandbox devices signed; in no other number here. */
    test_receipts: count(
      rows.filter((row) => row.environment === 'sandbox' && row.outcome === 'signed'),
    ),
    /**
     * Documents of these days that another system has sealed, as people have said; in no other
     * number here.
     */
    sealed_elsewhere: elsewhere,
    days: everyDay.map((day) => ({
      day,
      signed: count(signed.filter((row) => row.day === day)),
      refused: count(refused.filter((row) => row.day === day)),
      total: sum(signed.filter((row) => row.day === day && row.kind === 'sale')),
    })),
    failures: codes
      .map((code) => ({
        code,
        title:
          code in problems
            ? describeProblem({ code: code as ProblemCode }, ctx.language).title
            : code,
        count: count(refused.filter((row) => row.code === code)),
      }))
      .sort((a, b) => b.count - a.count),
  };
};

export type GetStats = ReturnType<typeof getStats>;

/**
 * What the operator sees of a business without looking into it: counted here, inside its own door,
 * and put where lists are read.
 */
export const countTotals =
  (ports: Ports) =>
  async (ctx: Context): Promise<void> => {
    const now = ports.clock.now();
    const totals = await ctx.transaction(async (tx): Promise<BusinessTotals> => {
      const { country } = await getBusiness(tx);
      const open = await countOpen(tx);
      const rest = await countRest(tx);
      const sums = await sumDays(tx, ports.day(now, zoneOf(ports.dialects, country)));
      return {
        ...sums,
        queued: open.queued,
        inDoubt: open.inDoubt,
        oldestUnsignedAt: open.oldestAt,
        lastContactAt: rest.lastContactAt,
        devices: rest.devices,
        devicesPaused: rest.devicesPaused,
        people: rest.people,
        alerts: rest.alerts,
        zoho: await zohoOf(tx, now),
        updatedAt: now,
      };
    });
    await ports.database.platform((tx) => putTotals(tx, ctx.businessId, totals));
  };

async function zohoOf(tx: Tx, now: Date): Promise<BusinessTotals['zoho']> {
  const connection = await findConnection(tx);
  const { calls, failed } = await readCallHealth(tx, new Date(now.getTime() - 86_400_000));
  const { polled } = await readConnectionHealth(tx);
  const looks = Object.values(polled).flatMap(({ at }) => (at ? [Date.parse(at)] : []));
  return {
    status: connection?.status ?? 'none',
    calls,
    failed,
    lookedAt: looks.length > 0 ? new Date(Math.max(...looks)) : null,
  };
}

const zoneOf = (dialects: Dialects, country: string) =>
  dialects.in(country)?.identity.timeZone ?? 'UTC';
const currencyOf = (dialects: Dialects, country: string) =>
  dialects.in(country)?.identity.currency ?? '';
