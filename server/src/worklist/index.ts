export {
  closeMonth,
  countUnsettled,
  longestDue,
  describeRow,
  listDocuments,
  sealedElsewhere,
  type WorklistQuery,
  type ListedRow,
  type Month,
} from './list-documents.ts';
export { rowKey } from './worklist.store.ts';
export { markElsewhere, unmarkElsewhere } from './mark-elsewhere.ts';
