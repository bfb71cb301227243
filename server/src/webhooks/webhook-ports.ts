import type { Recorder } from '../audit/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';

export type Ports = { vault: Vault; clock: Clock; newId: NewId; record: Recorder };
export const fieldOf = (id: string) => `subscriber:${id}`;
