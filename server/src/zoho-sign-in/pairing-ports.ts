import { createHash } from 'node:crypto';
import type { Sessions } from '../access/index.ts';
import type { Recorder } from '../audit/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Accounts } from '../ports/accounts.ts';
import type { BooksPeople } from '../ports/books-people.ts';
import { setPairingState } from './pairing.store.ts';

export type PairingPorts = {
  database: Database;
  clock: Clock;
  newId: NewId;
  record: Recorder;
  sessions: Sessions;
  knowsDevice(personId: string, deviceToken: string | undefined): Promise<boolean>;
  accounts: Accounts;
  people: BooksPeople;
  /**
   * The client a business signs its people in with, and its data centre; null if it has none that
   * can send a browser back.
   */
  clientOf(
    ctx: Context | null,
  ): Promise<{ accountsServer: string; clientId: string; clientSecret: string } | null>;
  contextOf(businessId: string): Context;
  redirectUri: string;
  publicUrl: string;
};

/**
 * How long each step may take: typing the code, approving at Zoho, answering the question, fetching
 * the session.
 */
const stepMs = 3 * 60_000;

/** Returns when the step that begins now ends. */
export const endOfStep = ({ clock }: Pick<PairingPorts, 'clock'>): Date =>
  new Date(clock.now().getTime() + stepMs);

/** Derives PKCE's verifier: the browser's secret is all that is kept of it, in the browser only. */
export const verifierOf = (browserSecret: string): string =>
  createHash('sha256').update(`verifier ${browserSecret}`).digest('base64url');

/** Ends a pairing with the code of the problem its panel shows. */
export const refuse = (
  { database }: Pick<PairingPorts, 'database'>,
  pairingId: string,
  refusal: string,
) => database.platform((tx) => setPairingState(tx, pairingId, 'refused', refusal));
