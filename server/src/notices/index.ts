export { deleteOldNotices, listNotices, type Notice, type Subscriber } from './notice.store.ts';
export { type NewSubscriber, notify, sendDue, subscribers, tellOfReceipts } from './notices.ts';
