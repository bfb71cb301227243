import type { Answered } from '../../../../simulators/kit/server.ts';
import type { Body } from '../check-sale.ts';
import type { Sim } from '../sim.ts';

/** Rows of a list, as its switch has them answered. */
export function list(sim: Sim, body: Body, rows: Record<string, unknown[]>): Answered {
  const how = sim.state.value.settings.list_answer;
  if (how === 'offline') return sim.envelope('838', 'No connection to the server');
  if (how === 'nothing' || String(body.lastReqDt ?? '') >= sim.stamp(sim.now()))
    return sim.envelope('001', 'There is no search result');
  return sim.done(
    how === 'empty' ? Object.fromEntries(Object.keys(rows).map((name) => [name, []])) : rows,
  );
}
