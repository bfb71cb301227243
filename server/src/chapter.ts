import type { EndWithOperator } from './access/index.ts';
import type { AuditListener } from './audit/index.ts';
import type { Route } from './platform/http/route.ts';
import type { Job, Retention } from './platform/jobs.ts';

/**
 * What a chapter may give to the server. Each is composed in its own `chapter.ts`, which `app.ts`
 * alone opens.
 */
export type Chapter = {
  routes?: Route[];
  jobs?: Job[];
  retention?: Retention[];
  /** Called for the entries of the audit log, in the transaction that chains them. */
  auditListeners?: AuditListener[];
  /** What a chapter ends together with an operator, in the same transaction. */
  endWithOperator?: EndWithOperator[];
  /** What begins once everything is open and nobody waits for. */
  begin?(): Promise<unknown>;
  /** Writes down what only this process's memory holds. */
  flush?(): Promise<void>;
  /**
   * Hears out what this process has begun and nobody else can end, once no more requests come in
   * and before anything is let go.
   */
  hearOut?(): Promise<void>;
  /** Lets go of what it holds. Chapters close in reverse order of opening. */
  close?(): Promise<void> | void;
};

type ListPart = 'routes' | 'jobs' | 'retention' | 'auditListeners' | 'endWithOperator';

/** Collects a part of every chapter, in the order in which they were opened. */
export const every = <K extends ListPart>(chapters: Chapter[], part: K) =>
  chapters.flatMap((each): unknown[] => each[part] ?? []) as NonNullable<Chapter[K]>;

/** Checks the parts of a chapter, and keeps what it gives to the others besides. */
export const chapter = <C extends Chapter>(parts: C): C => parts;
