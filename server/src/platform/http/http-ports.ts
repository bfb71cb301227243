import type { Endpoint } from '@muhuri/shared/contract/index';
import type { ProblemCode } from '@muhuri/shared/problems';
import type { Context, Session } from '../../context.ts';
import type { FairQueue } from '../fair-queue.ts';
import type { Log } from '../log.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { IdempotencyKeys } from './idempotency.store.ts';
import type { Spent } from './over-limit.ts';
import type { TokenGate } from './token-gate.ts';

/** What is said of a request where it goes on: in which language, under which id, from where. */
export type RequestInfo = { language: string; requestId: string; origin: string | null };

export type HttpPorts = {
  log: Log;
  tokens: TokenGate<Session>;
  bytes: ByteBudget;
  contextOf(session: Session, about: RequestInfo): Context;
  /** The code of the problem that keeps a caller out of an endpoint, or null. */
  refusalOf(session: Session | null, endpoint: Endpoint): ProblemCode | null;
  /** The operator's context for the business in the path. */
  operatorContextOf(session: Session, businessId: string, about: RequestInfo): Context;
  limits: {
    ofAddress(address: string): Promise<Spent>;
    ofSession(session: Session, isSealing: boolean): Promise<Spent>;
    ofChange(businessId: string): Promise<void>;
  };
  walls: {
    recordDeniedLookups(ctx: Context, route: string, ids: string[]): void;
    recordMismatch(ctx: Context, route: string, organizationId: string): Promise<void>;
    idsInRequest(values: unknown[], ownBusinessId: string): string[];
  };
  idempotency: IdempotencyKeys;
  /** How long a statement may take that a caller waits for, in milliseconds. */
  askedMs: number;
  /** The turns of what reads through much, by business. */
  heavy: FairQueue;
  isAllowedOrigin(origin: string): boolean;
  /** Addresses of proxies whose X-Forwarded-For is believed. */
  trustedProxies: string[];
};
