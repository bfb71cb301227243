import type { ByteLimits } from './platform/http/byte-budget.ts';
import type { Patience } from './platform/http/listen.ts';
import type { RuntimeOverrides } from './platform/runtime.ts';
import type { Dialects } from './ports/dialect/index.ts';
import type { Limits } from './rate-limits/index.ts';
import type { LaneTiming } from './receipts/index.ts';
import type { DirectSettings } from './vsdc/direct-vsdc.ts';
import type { CallBudgetSettings } from './zoho/call-budget.ts';

/** What tests and the demo world may replace: the clock, the patience, the log. */
export type Overrides = Partial<
  RuntimeOverrides & {
    dialects: Dialects;
    /** Calls to devices and to the books. */
    vsdc: Partial<DirectSettings>;
    governor: Partial<CallBudgetSettings>;
    /** Lanes, and how long whoever asks waits for a receipt. */
    timing: Partial<LaneTiming>;
    waitMs: number;
    lanesMax: number;
    /** Requests. */
    limits: Partial<Limits>;
    patience: Partial<Patience>;
    bytes: Partial<ByteLimits>;
    /** How often the work is looked at which no request asked for. */
    sweepMs: number;
    intakeMs: number;
    keepUpMs: number;
    deadlinesMs: number;
  }
>;

/** The times of jobs by their names in the operator's health, where they are not those declared. */
export const everyMsOf = (overrides: Overrides): Record<string, number | undefined> => ({
  idle_lanes: overrides.sweepMs,
  intake: overrides.intakeMs,
  tell: overrides.intakeMs,
  keep_up: overrides.keepUpMs,
  deadlines: overrides.deadlinesMs,
});
