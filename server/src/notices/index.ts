export { deleteOldNotices, listNotices, type Notice, type Subscriber } from './notice.store.ts';
export { type NewSubscriber, sendDue, subscribers, tellOfReceipts } from './notices.ts';
