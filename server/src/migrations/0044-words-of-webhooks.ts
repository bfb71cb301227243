import { Migration } from '@mikro-orm/migrations';
import { askAcross } from './business-table.ts';

/** Tables whose ids a caller may ask for, as the lookup role sees them; `own`: of our webhooks. */
const askable = (own: string[]) =>
  [
    'alert',
    'api_key',
    'audit',
    'branch',
    'connection',
    'consent',
    'device',
    'invitation',
    'item',
    'membership',
    'print',
    'receipt',
    ...own,
  ].toSorted();

const before = ['hook', 'notice', 'subscriber'];
const now = ['zoho_webhook', 'webhook_message', 'webhook_endpoint'];

/** What is renamed, its own indexes and constraints with it, since errors and plans name them. */
const renames: [kind: string, before: string, now: string][] = [
  ['table', 'hook', 'zoho_webhook'],
  ['index', 'hook_pkey', 'zoho_webhook_pkey'],
  ['index', 'hook_business_id_key_hash_key', 'zoho_webhook_business_id_key_hash_key'],
  ['table', 'subscriber', 'webhook_endpoint'],
  ['index', 'subscriber_pkey', 'webhook_endpoint_pkey'],
  ['table', 'notice', 'webhook_message'],
  ['index', 'notice_pkey', 'webhook_message_pkey'],
  ['index', 'notice_due', 'webhook_message_due'],
  ['index', 'notice_at', 'webhook_message_at'],
];

/**
 * Webhooks in the words of Standard Webhooks: a message goes to an endpoint. Those that Zoho calls
 * say whose they are. Row security, rights and conditions of indexes follow a new name; the body of
 * the lookup function does not, so it is written again.
 */
export default class WordsOfWebhooks extends Migration {
  override up(): void {
    for (const [kind, from, to] of renames) this.addSql(`alter ${kind} ${from} rename to ${to}`);
    this.addSql('alter table webhook_message rename subscriber_id to endpoint_id');
    this.addSql('alter table delivery rename hook_id to webhook_id');
    askAcross(this, askable(now));
  }

  override down(): void {
    this.addSql('alter table delivery rename webhook_id to hook_id');
    this.addSql('alter table webhook_message rename endpoint_id to subscriber_id');
    for (const [kind, from, to] of renames.toReversed())
      this.addSql(`alter ${kind} ${to} rename to ${from}`);
    askAcross(this, askable(before));
  }
}
