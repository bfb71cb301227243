import type { Context } from '../../context.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { PaperSize, Wish } from '../receipt/original-print.model.ts';
import { findLatestPrint, findSentPrint, type Print, readChoice } from './print.store.ts';
import { lockReceipt } from '../receipt/receipt.store.ts';
import {
  makePrint,
  plan,
  type Planned,
  type Ports,
  recordPrint,
  stillHolds,
} from './make-print.ts';

export type ReadPdf = (ctx: Context, receiptId: string, paper: PaperSize) => Promise<Print>;

/**
 * The latest print on that paper, byte for byte, counting nothing; where there is none, one is
 * made: a copy, unless the branch has chosen this paper for its originals and whoever asks may
 * print.
 */
export const readPdf =
  (ports: Ports): ReadPdf =>
  async (ctx, receiptId, paper) => {
    const instead = (tx: Tx) => findLatestPrint(tx, receiptId, paper);
    const known = await ctx.transaction(instead);
    if (known) return known;
    const mayPrint = ctx.permissions === null || ctx.permissions.includes('seal');
    // Whoever asks at the same moment gets that print, instead of a copy nobody asked for.
    return (
      await makePrint(ports, ctx, { receiptId, paper, wish: mayPrint ? 'read' : 'copy', instead })
    ).print;
  };

export type PrintForBooks = (ctx: Context, receiptId: string, isMailed: boolean) => Promise<Print>;

/**
 * The print that goes to the document in Zoho: the original, where the branch has chosen that, else
 * a copy; the same when it is asked for again.
 */
export const printForBooks =
  (ports: Ports): PrintForBooks =>
  async (ctx, receiptId, isMailed) => {
    const { choice } = await ctx.transaction((tx) => readChoice(tx, receiptId));
    const wentWith = choice === 'mail' && isMailed ? 'mail' : 'zoho';
    // A copy that went before the mail does not stand for the original that goes with it.
    const instead = async (tx: Tx) => {
      const sent = await findSentPrint(tx, receiptId);
      return sent &&
        (sent.number === 0 || wentWith === 'zoho' || (await readChoice(tx, receiptId)).hasOriginal)
        ? sent
        : null;
    };
    const known = await ctx.transaction(instead);
    return (
      known ??
      (
        await makePrint(ports, ctx, {
          receiptId,
          paper: 'a4',
          as: wentWith,
          wish: 'read',
          wentWith,
          instead,
        })
      ).print
    );
  };

export type PrintTogether = (
  ctx: Context,
  receiptIds: string[],
  paper: PaperSize,
  original: boolean | undefined,
) => Promise<Buffer>;

/** A print of each, recorded like any other, in one file; all of them or none. */
export const printTogether =
  (ports: Ports): PrintTogether =>
  async (ctx, receiptIds, paper, original) => {
    // Asked for in bulk, originals go to those that have none yet, and the others are copies: it is
    // said on each.
    const wish: Wish = original === undefined ? 'read' : original ? 'original' : 'copy';
    const ids = [...new Set(receiptIds)];
    for (;;) {
      const at = ports.clock.now();
      const planned = await ctx.transaction(async (tx) => {
        const all: Planned[] = [];
        for (const receiptId of ids)
          all.push(await plan(ports, tx, { receiptId, paper, wish }, at));
        return all;
      });
      const pdfs: Buffer[] = [];
      for (const each of planned)
        pdfs.push(await ports.draw(ctx.businessId, [each.drawn], paper, at));
      const together = await ports.draw(
        ctx.businessId,
        planned.map(({ drawn }) => drawn),
        paper,
        at,
      );
      const isRecorded = await ctx.transaction(async (tx) => {
        // Always locked in the same order, so that two who print the same receipts do not wait for
        // each other in a ring.
        const order = planned
          .map((each, i) => ({ ...each, pdf: pdfs[i] as Buffer }))
          .sort((a, b) => (a.receipt.id < b.receipt.id ? -1 : 1));
        for (const each of order) await lockReceipt(tx, each.receipt.id);
        for (const each of order) if (!(await stillHolds(tx, each, paper, wish))) return false;
        for (const each of order)
          await recordPrint(ports, tx, ctx, each, { paper, wentWith: null, pdf: each.pdf, at });
        return true;
      });
      if (isRecorded) return together;
    }
  };
