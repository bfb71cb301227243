import type { Endpoint, InputOf, OutputOf, QueryOf } from '@muhuri/shared/contract/index';
import type { Context, Session } from '../../context.ts';

/** A file instead of JSON; one that is made while it is sent comes in parts. */
export class FileResponse {
  readonly body: Buffer | string | AsyncIterable<string>;
  readonly type: string;
  readonly name: string | null;
  /** What a page may do, as a content security policy; none for what is no page. */
  readonly policy: string | null;
  constructor(
    body: Buffer | string | AsyncIterable<string>,
    type: string,
    name: string | null = null,
    policy: string | null = null,
  ) {
    this.body = body;
    this.type = type;
    this.name = name;
    this.policy = policy;
  }
}

/** An answer with a status other than 200. */
export class WithStatus<T> {
  readonly status: number;
  readonly body: T;
  constructor(status: number, body: T) {
    this.status = status;
    this.body = body;
  }
}

type RawBody = {
  bytes: Buffer;
  contentType: string;
  query: [string, string][];
  header(name: string): string;
};

/**
 * What a handler knows of the caller. `token`, `session` and `ctx` exist according to the
 * endpoint's guard; asking for more throws.
 */
export type Call = {
  readonly token: string;
  readonly session: Session;
  readonly ctx: Context;
  /**
   * For the operator: the business its path names, by its ordinary door. Refused alike for anything
   * that is no business.
   */
  readonly onBusiness: Context;
  readonly params: Record<string, string>;
  /** Of an endpoint that takes bytes: what came, and what stood around it. */
  readonly raw: RawBody;
  readonly language: string;
  readonly requestId: string;
  /** Where the call comes from. */
  readonly from: { address: string; userAgent: string | null };
  /** The same Idempotency-Key with the same content has been here before. */
  readonly isReplay: boolean;
};

/** What came with a request, checked against its endpoint. */
export type Given = { input: unknown; query: unknown };

type Handler<E extends Endpoint> = (
  call: Call,
  given: { input: InputOf<E>; query: QueryOf<E> },
) => Promise<OutputOf<E> | WithStatus<OutputOf<E>> | FileResponse>;

/**
 * What is asked before any body is read, of an endpoint that takes bytes: throws where nobody by
 * that name is expected, else says whose bytes they will be.
 */
type Admit = (call: Call) => Promise<{ owner: string }>;

export type Route = {
  endpoint: Endpoint;
  handle(call: Call, given: Given): Promise<unknown>;
  admit?: Admit;
};

/**
 * In two steps, so that the compiler checks the handler's answer against the endpoint instead of
 * widening one to the other.
 */
export const route =
  <E extends Endpoint>(endpoint: E) =>
  (handle: Handler<E>, admit?: Admit): Route => ({
    endpoint,
    handle: (call, given) => handle(call, given as never),
    ...(admit && { admit }),
  });
