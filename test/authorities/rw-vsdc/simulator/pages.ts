import type { Answered } from '../../../simulators/kit/server.ts';

const page = (status: number, body: string): Answered => ({
  status,
  type: 'text/html',
  body: `<html><body>${body}</body></html>`,
});

/** What the web server around the device says where the device says nothing. */
export const notAllowed = page(405, '405');
export const badRequest = page(400, 'HTTP Status 400 – Bad Request');
export const notFound = page(404, '<h1>HTTP Status 404 – Not Found</h1>');
export const unavailable = page(503, 'Service Unavailable');
