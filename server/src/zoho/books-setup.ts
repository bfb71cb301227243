import { AppError } from '../platform/app-error.ts';
import type { BooksSetup } from '../ports/books-setup.ts';
import type { ZohoAnswer, ZohoClient } from './client.ts';
import type { Json } from './parse-json.ts';
import { list, text } from './json-fields.ts';

/**
 * Fields, webhooks and rules by Zoho's settings API (zoho-books-api 5.1, 5.2). A webhook alone
 * never fires; it needs a rule.
 */
export const booksSetup = (client: ZohoClient): BooksSetup => ({
  async listFields(access, entity) {
    const answer = await client.get(access, '/settings/fields', { entity });
    if (answer.is === 'missing') return [];
    return list(answer.body.fields).map(fieldOf);
  },
  async createField(access, { entity, label, type }) {
    const answer = await client.call(access, {
      method: 'POST',
      path: '/settings/fields',
      json: { label, entity, data_type: type, show_on_pdf: true, is_mandatory: false },
    });
    return fieldOf(part(answer, 'field'));
  },
  async listWebhooks(access) {
    const answer = await client.get(access, '/settings/webhooks');
    if (answer.is === 'missing') return [];
    return list(answer.body.webhooks).map((each) => ({
      id: text(each.webhook_id),
      name: text(each.webhook_name),
    }));
  },
  async createWebhook(access, { name, entity, url, secret }) {
    const answer = await client.call(access, {
      method: 'POST',
      path: '/settings/webhooks',
      json: {
        webhook_name: name,
        description: 'Tells Muhuri which document to read',
        entity,
        url,
        method: 'POST',
        secret,
      },
    });
    return text(part(answer, 'webhook').webhook_id);
  },
  deleteWebhook: async (access, id) =>
    void (await client.call(access, { method: 'DELETE', path: `/settings/webhooks/${id}` })),
  async createWorkflow(access, { name, entity, webhookId }) {
    const answer = await client.call(access, {
      method: 'POST',
      path: '/settings/workflows',
      json: {
        workflow_name: name,
        rule_type: 'add_edit',
        entity,
        apply_rule_always: true,
        instant_actions: [{ action_id: webhookId, action_type: 'webhook' }],
      },
    });
    return text(part(answer, 'workflow').workflow_id);
  },
  deleteWorkflow: async (access, id) =>
    void (await client.call(access, { method: 'DELETE', path: `/settings/workflows/${id}` })),
});

function part(answer: ZohoAnswer, key: string): { [key: string]: Json } {
  const found = answer.is === 'found' ? answer.body[key] : null;
  if (typeof found !== 'object' || found === null || Array.isArray(found))
    throw new AppError('books_unavailable', {}, `no ${key} in the answer`);
  return found;
}

/** The api name is read back, never made from the label: a packaged field has another one. */
const fieldOf = (field: { [key: string]: Json }) => ({
  id: text(field.field_id),
  apiName: text(field.api_name),
  label: text(field.label),
});
