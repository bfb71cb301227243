import { randomBytes } from 'node:crypto';
import type { Actor, Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { isOriginal, type PaperSize, type Wish } from '../receipt/original-print.model.ts';
import { consumeLink, findLink, findPrint, insertLink, readChoice } from './print.store.ts';
import { findReceipt } from '../receipt/receipt.store.ts';
import { makePrint, type Ports, type RedeemedLink, signedReceipt } from './make-print.ts';
import { sha256 } from '../../platform/digest.ts';

const linkMs = 5 * 60_000;

export type RequestPrint = (
  ctx: Context,
  receiptId: string,
  ask: { paper: PaperSize; original?: boolean | undefined },
) => Promise<{ isCopy: boolean; link: string; until: Date }>;

/**
 * A short-lived single-use link to a print. Nothing is counted before it is opened: a page that the
 * browser blocks has spent no original. What the print will be as things stand is said with it.
 */
export const requestPrint =
  (ports: Ports): RequestPrint =>
  async (ctx, receiptId, { paper, original }) => {
    const secret = randomBytes(24).toString('base64url');
    const wish: Wish = original === undefined ? 'asked' : original ? 'original' : 'copy';
    const now = ports.clock.now();
    const until = new Date(now.getTime() + linkMs);
    const isCopy = await ctx.transaction(async (tx) => {
      await signedReceipt(tx, receiptId);
      const stands = await readChoice(tx, receiptId);
      if (wish === 'original' && stands.hasOriginal) throw new AppError('original_printed');
      await insertLink(
        tx,
        ctx.businessId,
        { hash: sha256(secret), receiptId, paper, wish, askedBy: ctx.actor, until },
        now,
      );
      return !isOriginal(wish, paper, stands);
    });
    return { isCopy, link: `${ctx.businessId}.${secret}`, until };
  };
export type RedeemPrintLink = (
  link: string,
  as: 'page' | 'pdf',
  contextOf: (businessId: string, actor: Actor | null) => Context,
) => Promise<RedeemedLink>;

/**
 * What a link leads to, once, recorded by being opened. The link names its business, so that it
 * opens the ordinary door.
 */
export const redeemPrintLink =
  (ports: Ports): RedeemPrintLink =>
  async (link, as, contextOf) => {
    const match = /^(biz_[0-9a-f]{32})\.([A-Za-z0-9_-]{32})$/.exec(link);
    if (!match) throw new AppError('not_found');
    const [, businessId, secret] = match as unknown as [string, string, string];
    const hash = sha256(secret);
    const asked = await contextOf(businessId, null).transaction((tx) =>
      findLink(tx, hash, ports.clock.now()),
    );
    if (!asked) throw new AppError('not_found');
    const ctx = contextOf(businessId, asked.askedBy);
    // A link that was given out for a print recorded before.
    if (asked.printId) {
      return ctx.transaction(async (tx) => {
        const print =
          (await consumeLink(tx, hash, ports.clock.now())) &&
          (await findPrint(tx, asked.receiptId, asked.printId as string));
        const receipt = await findReceipt(tx, asked.receiptId);
        if (!print || !receipt) throw new AppError('not_found');
        return { print, documentNumber: receipt.documentNumber, forBrowser: null };
      });
    }
    const { receiptId, paper, wish } = asked;
    return makePrint(ports, ctx, {
      receiptId,
      paper,
      wish,
      forBrowser: as === 'page',
      async claim(tx) {
        if (!(await consumeLink(tx, hash, ports.clock.now()))) throw new AppError('not_found');
      },
    });
  };
