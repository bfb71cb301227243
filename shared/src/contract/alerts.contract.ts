import { z } from 'zod';
import { time } from './dates.ts';
import { endpoint } from './endpoint.ts';
import { problemView } from './receipts.contract.ts';

export const alertView = z
  .object({
    id: z.string(),
    /** The id of the device or receipt it is about. */
    subject: z.string(),
    problem: problemView,
    opened_at: time,
  })
  .meta({ id: 'Alert' });

export const listAlerts = endpoint({
  method: 'GET',
  path: '/alerts',
  summary:
    'What the business must know without asking, oldest first; most close by themselves when they are over',
  guard: 'read',
  output: z.object({ alerts: z.array(alertView), next_cursor: z.string().nullable() }),
});

export const closeAlert = endpoint({
  method: 'POST',
  path: '/alerts/{id}/close',
  summary: 'Say that an alert was seen to',
  guard: 'manage_business',
  output: alertView,
});
