import { type BusinessSettings, getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import { findReceipt, type Receipt } from '../receipts/index.ts';
import {
  insertSteps,
  listSteps,
  retrySteps,
  type Step,
  type StepName,
} from './write-back.store.ts';
import type { Ports } from './writer.ts';
import { stepsOf } from './due-steps.ts';

type AskPorts = Pick<Ports, 'clock' | 'record'> & { touch(businessId: string): void };

/**
 * Steps of a sealed document that a person asked for: those that failed are due again, those never
 * due are due now.
 */
async function askFor(
  ports: AskPorts,
  ctx: Context,
  receiptId: string,
  action: string,
  stepsFor: (receipt: Receipt, settings: BusinessSettings) => StepName[],
): Promise<Step[]> {
  const steps = await ctx.transaction(async (tx) => {
    const receipt = await findReceipt(tx, receiptId);
    if (!receipt) throw new AppError('not_found');
    if (!receipt.signature) throw new AppError('not_signed', { state: receipt.state });
    const wanted = stepsFor(receipt, (await getBusiness(tx)).settings);
    const at = ports.clock.now();
    await retrySteps(tx, receiptId, action === 'written.mail_asked', at);
    await insertSteps(tx, ctx.businessId, receiptId, wanted, at);
    await ports.record(tx, ctx, { action, subject: receiptId });
    return listSteps(tx, receiptId);
  });
  ports.touch(ctx.businessId);
  return steps;
}

/** Has Zoho mail a sealed invoice with its receipt; once, unless the mail before has failed. */
export const mailReceipt = (ports: AskPorts) => (ctx: Context, receiptId: string) =>
  askFor(ports, ctx, receiptId, 'written.mail_asked', ({ module, kind, environment }) => {
    if (module !== 'invoices' || kind !== 'sale') throw new AppError('mail_of_refund');
    if (environment === 'sandbox') throw new AppError('test_receipt_only');
    return ['attachment', 'mail'];
  });

/** Has everything the business wants written tried again, but a mail that may have left. */
export const retryWriteBack = (ports: AskPorts) => (ctx: Context, receiptId: string) =>
  askFor(ports, ctx, receiptId, 'written.retried', stepsOf);

/** The steps of a receipt, for whoever wants to see them. */
export const readSteps = async (ctx: Context, receiptId: string): Promise<Step[]> =>
  ctx.transaction(async (tx) => {
    if (!(await findReceipt(tx, receiptId))) throw new AppError('not_found');
    return listSteps(tx, receiptId);
  });
