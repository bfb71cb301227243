import type { OutputOf } from '@muhuri/shared/contract/endpoint';
import type { login } from '@muhuri/shared/contract/access.contract';
import type { getReceipt, preflight, readDoubt } from '@muhuri/shared/contract/receipts.contract';
import type { writeBack } from '@muhuri/shared/contract/zoho.contract';

/**
 * The shapes of the contract, as types only: the schemas stay on the server, so that the panel's
 * first load stays small.
 */
export type SessionView = OutputOf<typeof login>;
export type ReceiptView = OutputOf<typeof getReceipt>;
export type DoubtView = OutputOf<typeof readDoubt>;
export type PreflightView = OutputOf<typeof preflight>;
export type Finding = PreflightView['findings'][number];
export type ChoiceLists = Record<string, { code: string; name: string }[]>;
export type WriteBackView = OutputOf<typeof writeBack>;
