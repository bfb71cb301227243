import { createHmac, randomBytes } from 'node:crypto';
import { type Answered, type Asked, jsonAnswer } from '../kit/server.ts';
import type { Stored } from './documents.ts';

type Webhook = {
  webhook_id: string;
  webhook_name: string;
  entity: string;
  url: string;
  secret: string;
  method: string;
};
type Workflow = {
  workflow_id: string;
  workflow_name: string;
  entity: string;
  rule_type: string;
  actions: string[];
  active: boolean;
};
export type Field = {
  field_id: string;
  api_name: string;
  label: string;
  data_type: string;
  entity: string;
  show_on_pdf: boolean;
};
export type AutomationState = {
  webhooks: Webhook[];
  workflows: Workflow[];
  fields: Field[];
  /** Calls made today; beyond the cap they are lost without a word. */
  sent: number;
};
export type Delivery = { url: string; status: number | null; body: string };

const dailyCap = 1_000;
const success = (body: object, message = 'success', status = 200): Answered =>
  jsonAnswer(status, { code: 0, message, ...body });
const refused = (code: number, message: string): Answered => jsonAnswer(400, { code, message });

export const freshAutomation = (organizationId: string): AutomationState => ({
  webhooks: [],
  workflows: [],
  fields: ['cf_custtin', 'cf_purchase_code'].map((api_name, index) => ({
    field_id: `${organizationId}${index}`,
    api_name,
    label: api_name,
    data_type: 'string',
    entity: 'invoice',
    show_on_pdf: false,
  })),
  sent: 0,
});

/** Custom fields, webhooks and workflow rules of one organization, and the webhooks' deliveries. */
export function automation(
  state: () => AutomationState,
  save: () => void,
  nextId: () => string,
  log: (delivery: Delivery) => void,
) {
  function handle(asked: Asked, path: string): Answered | null {
    const match =
      /^\/settings\/(fields|webhooks|workflows)(?:\/(\d+))?(?:\/(active|inactive))?$/.exec(path);
    if (!match) return null;
    const [, kind, id, verb] = match;
    const body = asked.body ? (JSON.parse(asked.body) as Record<string, unknown>) : {};
    if (kind === 'fields') return fields(asked, body);
    if (kind === 'webhooks') return webhooks(asked, body, id);
    return workflows(asked, body, id, verb);
  }

  function fields(asked: Asked, body: Record<string, unknown>): Answered {
    if (asked.method === 'GET')
      return success({
        fields: state().fields.filter((each) => each.entity === asked.query.get('entity')),
      });
    const { label, data_type, entity } = body as {
      label?: string;
      data_type?: string;
      entity?: string;
    };
    if (!label || !data_type || !entity) return refused(2, 'Invalid value passed for label');
    if (state().fields.some((each) => each.entity === entity && each.label === label))
      return refused(1001, `A field with the label ${label} exists`);
    const api_name = `cf_${label
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_|_$/g, '')}`;
    const made = {
      field_id: nextId(),
      api_name,
      label,
      data_type,
      entity,
      show_on_pdf: body.show_on_pdf === true,
    };
    state().fields.push(made);
    save();
    return success({ field: made }, 'The field has been created.', 201);
  }

  function webhooks(asked: Asked, body: Record<string, unknown>, id: string | undefined): Answered {
    if (asked.method === 'GET')
      return success({ webhooks: state().webhooks.map(({ secret: _secret, ...each }) => each) });
    if (asked.method === 'DELETE') {
      const found = state().webhooks.find((each) => each.webhook_id === id);
      if (!found) return jsonAnswer(404, { code: 1002, message: 'Webhook does not exist.' });
      if (state().workflows.some((each) => each.actions.includes(found.webhook_id)))
        return refused(107052, 'The webhook is associated with a workflow');
      state().webhooks = state().webhooks.filter((each) => each !== found);
      save();
      return success({}, 'The webhook has been deleted.');
    }
    const given = body as {
      webhook_name?: string;
      entity?: string;
      url?: string;
      secret?: string;
      method?: string;
    };
    if (!given.webhook_name || given.webhook_name.length > 50)
      return refused(2, 'Invalid value passed for webhook_name');
    if (state().webhooks.some((each) => each.webhook_name === given.webhook_name))
      return refused(107051, 'Webhook name already exists');
    if (given.secret !== undefined && !/^[A-Za-z0-9]{12,50}$/.test(given.secret))
      return refused(2, 'Invalid value passed for secret');
    const made = {
      webhook_id: nextId(),
      webhook_name: given.webhook_name,
      entity: given.entity ?? '',
      url: given.url ?? '',
      secret: given.secret ?? '',
      method: 'POST',
    };
    state().webhooks.push(made);
    save();
    return success(
      { webhook: { ...made, secret: undefined } },
      'The webhook has been created.',
      201,
    );
  }

  function workflows(
    asked: Asked,
    body: Record<string, unknown>,
    id: string | undefined,
    verb: string | undefined,
  ): Answered {
    if (asked.method === 'GET') return success({ workflows: state().workflows });
    if (!id) {
      const given = body as {
        workflow_name?: string;
        entity?: string;
        rule_type?: string;
        instant_actions?: { action_id: string }[];
      };
      if (!given.workflow_name) return refused(2, 'Invalid value passed for workflow_name');
      if (state().workflows.filter((each) => each.entity === given.entity).length >= 10)
        return refused(107053, 'Only ten rules per module');
      const made = {
        workflow_id: nextId(),
        workflow_name: given.workflow_name,
        entity: given.entity ?? '',
        rule_type: given.rule_type ?? 'add_edit',
        actions: (given.instant_actions ?? []).map((each) => each.action_id),
        active: true,
      };
      state().workflows.push(made);
      save();
      return success({ workflow: made }, 'The workflow has been created.', 201);
    }
    const found = state().workflows.find((each) => each.workflow_id === id);
    if (!found) return jsonAnswer(404, { code: 1002, message: 'Workflow does not exist.' });
    if (asked.method === 'DELETE')
      state().workflows = state().workflows.filter((each) => each !== found);
    else found.active = verb === 'active';
    save();
    return success({}, 'done');
  }

  /** Every rule that matches fires; one lost to the daily cap leaves no trace. */
  async function fire(
    module: 'invoices' | 'creditnotes',
    document: Stored,
    what: 'add' | 'edit',
    faults: { loss?: number; duplicates?: number } = {},
  ): Promise<void> {
    const entity = module === 'invoices' ? 'invoice' : 'creditnote';
    const body = JSON.stringify({
      [entity]: { ...document, ...(document.custom_field_hash as object | undefined) },
    });
    const sends: Promise<void>[] = [];
    for (const rule of state().workflows) {
      if (!rule.active || rule.entity !== entity || !rule.rule_type.split('_').includes(what))
        continue;
      for (const hook of state().webhooks.filter((each) =>
        rule.actions.includes(each.webhook_id),
      )) {
        if (Math.random() < (faults.loss ?? 0) || state().sent >= dailyCap) continue;
        state().sent += 1;
        sends.push(deliver(hook, body));
        if (Math.random() < (faults.duplicates ?? 0)) sends.push(deliver(hook, body));
      }
    }
    await Promise.all(sends);
  }

  async function deliver(hook: Webhook, body: string): Promise<void> {
    const headers: Record<string, string> = { 'content-type': 'application/json;charset=UTF-8' };
    if (hook.secret) headers['x-zoho-webhook-signature'] = signatureOf(hook.url, body, hook.secret);
    const status = await fetch(hook.url, { method: 'POST', headers, body }).then(
      (answer) => answer.status,
      () => null,
    );
    log({ url: hook.url, status, body });
  }

  return { handle, fire };
}

/**
 * HMAC-SHA256 in hex over the sorted query, key and value without separators, and then the raw
 * body.
 */
export function signatureOf(url: string, body: string, secret: string): string {
  const pairs = [...new URL(url).searchParams].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return createHmac('sha256', secret)
    .update(pairs.map(([key, value]) => key + value).join('') + body)
    .digest('hex');
}

export const newId = (prefix: string): string =>
  `${prefix}${BigInt(`0x${randomBytes(6).toString('hex')}`)
    .toString()
    .padStart(15, '0')
    .slice(0, 9)}`;
