import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import type { Duplex } from 'node:stream';

/** Whether a request has left, and whether it still may. */
export type Mark = { left: boolean; mayLeave: () => boolean; isTooLate: boolean };

// The one line between "never left" and "in doubt": undici announces when it writes a request's
// headers, right before it does. Error codes do not tell (ECONNRESET happens on both sides of it).
// What may not leave any more at that moment finds its connection gone: nothing of it is written.
const marks = new WeakMap<object, Mark>();
const current = new AsyncLocalStorage<Mark>();
channel('undici:request:create').subscribe((message) => {
  const mark = current.getStore();
  if (mark) marks.set((message as { request: object }).request, mark);
});
channel('undici:client:sendHeaders').subscribe((message) => {
  const { request, socket } = message as { request: object; socket: Duplex };
  const mark = marks.get(request);
  if (!mark) return;
  if (mark.mayLeave()) mark.left = true;
  else {
    mark.isTooLate = true;
    socket.destroy();
  }
});

/** Runs an exchange whose one request is marked once its headers are written. */
export const marking = <T>(mark: Mark, work: () => Promise<T>): Promise<T> =>
  current.run(mark, work);
