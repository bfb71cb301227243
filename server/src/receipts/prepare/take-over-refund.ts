import type { Recorder } from '../../audit/index.ts';
import { findDeviceOfBranch } from '../../branches/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Tx } from '../../platform/db/database.ts';
import { query, queryOne } from '../../platform/db/query.ts';
import type { Queue } from '../../platform/queue/queue.ts';
import { findReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

export type TakeOverRefund = (
  ctx: Context,
  saleId: string,
  given: { source: string; answer: string },
) => Promise<Receipt>;

/**
 * A person says, with what the authority shows of the sale attached, that the device which followed
 * takes its refund: only then may a refund name a number that another device has signed. Not where
 * the follower began a run of its own: there the number is, or will be, a stranger's sale.
 */
export const takeOverRefund =
  (ports: { record: Recorder; clock: Clock; queue: Pick<Queue, 'wakeLane'> }): TakeOverRefund =>
  (ctx, saleId, { source, answer }) =>
    ctx.transaction(async (tx) => {
      const sale = await findReceipt(tx, saleId);
      if (!sale) throw new AppError('not_found');
      if (sale.kind !== 'sale' || sale.state !== 'signed' || !sale.isDeviceRetired)
        throw new AppError('wrong_state', { state: sale.state });
      const device = await findDeviceOfBranch(tx, sale.branchId);
      if (!device || device.environment !== sale.environment)
        throw new AppError('wrong_state', { state: sale.state });
      if (!(await continuesRun(tx, sale))) throw new AppError('refund_run_broken');
      const { actor } = ctx;
      const name = 'name' in actor ? actor.name : actor.id;
      await query(
        tx,
        `insert into takeover (business_id, receipt_id, device_id, source, answer, confirmed_by, confirmed_name, confirmed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (business_id, receipt_id, device_id) do nothing`,
        [ctx.businessId, sale.id, device.id, source, answer, actor.id, name, ports.clock.now()],
      );
      await ports.record(tx, ctx, {
        action: 'receipt.refund_taken_over',
        subject: sale.id,
        after: { device_id: device.id, source, answer },
      });
      // What stands aside for this goes now.
      await query(
        tx,
        "update receipt set next_try_at = null, read_at = null where device_id = $1 and sale_receipt_id = $2 and state = 'queued'",
        [device.id, sale.id],
      );
      await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: device.id });
      return sale;
    });

/** Whether the present device may take refunds of a sale that a device before it has signed. */
export const isTakenOver = async (tx: Tx, saleId: string, deviceId: string): Promise<boolean> =>
  (await queryOne(tx, 'select 1 as yes from takeover where receipt_id = $1 and device_id = $2', [
    saleId,
    deviceId,
  ])) !== null;

/**
 * Whether every device since has gone on with the authority's run. One to which the authority named
 * no last number began at one again; so did one to which it named a number below sales that the
 * authority must have had by then: what a device signs it uploads within a day, or signs no more.
 */
export const continuesRun = async (tx: Tx, sale: Pick<Receipt, 'deviceId'>): Promise<boolean> =>
  (await queryOne(
    tx,
    `select 1 as no from device s join device n on n.business_id = s.business_id and n.branch_id = s.branch_id and n.environment = s.environment
      where s.id = $1 and n.id <> s.id and n.activated_at >= s.retired_at
        and (coalesce(n.authority_last, 0) = 0 or exists (select 1 from device p join receipt r on r.business_id = p.business_id and r.device_id = p.id
          join signature g on g.business_id = r.business_id and g.receipt_id = r.id
          where p.business_id = n.business_id and p.branch_id = n.branch_id and p.environment = n.environment and p.retired_at <= n.activated_at
            and r.kind = 'sale' and g.invoice_number > n.authority_last and g.signed_at < n.created_at - interval '24 hours')) limit 1`,
    [sale.deviceId],
  )) === null;
