import type { ZodType, z } from 'zod';
import type { Permission } from '../permissions.ts';

/**
 * Who may call: `anyone` before sign-in, `signed_in` whatever the role, else whoever has that
 * permission (`../permissions.ts`).
 */
export type Guard = 'anyone' | 'signed_in' | Permission;

/**
 * An endpoint as a value: the server answers it, the widget takes its types from it, the OpenAPI
 * page prints it, exams walk it. `input` is the JSON body, `query` the query string; path
 * parameters stand as `{name}` in `path`.
 */
export type Endpoint<
  I extends ZodType = ZodType,
  O extends ZodType = ZodType,
  Q extends ZodType = ZodType,
> = {
  method: 'GET' | 'POST' | 'PUT';
  path: `/${string}`;
  summary: string;
  guard: Guard;
  /**
   * Asks for the second factor, given a short while ago: what settles, changes devices, keys,
   * roles, mappings or settings, or opens a way out for data. A route that changes something and
   * does not ask for it stands with its reason in `test/exams/second-factor.test.ts`.
   */
  secondFactor?: true;
  input?: I;
  query?: Q;
  /**
   * The answer holds a secret, said this once: nothing of it is kept, so that the same
   * Idempotency-Key is not answered a second time.
   */
  answersSecret?: true;
  /**
   * Reads through much of a business: a search, a sum, a list by something, an export. Few of these
   * are worked on for one business at once.
   */
  heavy?: true;
  /**
   * The body is taken as the bytes that came, whatever they are; the address in the path is its own
   * proof, and no limit of callers applies to it.
   */
  raw?: true;
  /** How large a body may be, where that is not the usual: see `bodyKbOf`. */
  bodyKb?: number;
  output: O;
  /** What the answer is when not JSON: `application/pdf`, `image/svg+xml`. */
  produces?: string;
};

/**
 * How large a body may be, in KiB: what is said before sign-in, or about one's own account, is a
 * few lines.
 */
export const bodyKbOf = (e: Pick<Endpoint, 'path' | 'bodyKb'>): number =>
  e.bodyKb ?? (e.path.startsWith('/auth/') ? 8 : 256);

export type InputOf<E> = E extends { input: infer I }
  ? I extends ZodType
    ? z.output<I>
    : undefined
  : undefined;
export type QueryOf<E> = E extends { query: infer Q }
  ? Q extends ZodType
    ? z.output<Q>
    : undefined
  : undefined;
export type OutputOf<E> = E extends { output: infer O }
  ? O extends ZodType
    ? z.input<O>
    : never
  : never;

export const endpoint = <const E extends Endpoint>(e: E): E => e;
