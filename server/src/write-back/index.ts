export type { Step } from './write-back.store.ts';
