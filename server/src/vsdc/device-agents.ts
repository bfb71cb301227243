import { Agent } from 'undici';
import type { Resolved } from '../platform/address-policy.ts';
import type { DirectSettings } from './settings.ts';

const agentsMax = 500;

export type DeviceAgents = {
  agentOf(resolved: Pick<Resolved, 'address' | 'family'>): Agent;
  /** Ends every connection, those of agents that made room among them. */
  destroy(): Promise<void>;
};

/**
 * Keeps one agent per resolved address, pinned to it; it keeps no connection (`pipelining: 0`),
 * only its settings. Bounded: the oldest goes.
 */
export function deviceAgents(settings: DirectSettings): DeviceAgents {
  const agents = new Map<string, Agent>();
  /** Those that made room, while a late answer may still come to one of them. */
  const leaving = new Set<Agent>();

  const makeRoom = (): void => {
    if (agents.size <= agentsMax) return;
    const [oldest] = agents;
    if (!oldest) return;
    const [address, agent] = oldest;
    agents.delete(address);
    leaving.add(agent);
    void agent
      .close()
      .catch(() => {})
      .finally(() => leaving.delete(agent));
  };

  return {
    agentOf({ address, family }) {
      const known = agents.get(address);
      if (known) return known;
      const agent = new Agent({
        connect: {
          timeout: settings.connectTimeoutMs,
          lookup: (_host, _options, done) => done(null, [{ address, family }]),
        },
        headersTimeout: settings.lateTimeoutMs,
        bodyTimeout: settings.lateTimeoutMs,
        maxResponseSize: settings.answerBytesMax,
        pipelining: 0,
      });
      agents.set(address, agent);
      makeRoom();
      return agent;
    },
    async destroy() {
      await Promise.all(
        [...agents.values(), ...leaving].map((agent) => agent.destroy().catch(() => {})),
      );
      agents.clear();
    },
  };
}
