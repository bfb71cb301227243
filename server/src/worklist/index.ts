export {
  countUnsettled,
  longestDue,
  sealedElsewhere,
  type WorklistQuery,
  type ListedRow,
  type Month,
} from './list-documents.ts';
export { rowKey } from './worklist.store.ts';
