import type { Postgres } from '@muhuri/server/platform/db/embedded-postgres';

/** How much of everything is run. `quick` is a slice that is written nowhere. */
export type Size = { codes: readonly string[]; crashes: number; seeds: number };

/**
 * A share of a part whose result is kept as JSON once it is done, so that a part that was stopped
 * goes on after its last piece.
 */
type Piece = { id: string; run(postgres: Postgres): Promise<unknown> };

/**
 * A part of the proof: it is run by itself, in at most forty minutes, and writes its own section of
 * the page.
 */
export type Part = {
  name: string;
  title: string;
  /**
   * Files its result depends on, with everything they import: as long as none of them changes, it
   * is not run again.
   */
  entries: string[];
  size: string;
  pieces: Piece[];
  section(results: unknown[], seconds: number): { text: string; failures: number; says: string };
};
