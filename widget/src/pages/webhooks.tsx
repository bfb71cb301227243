import { useState } from 'preact/hooks';
import type { Views } from './api.ts';
import { moment, useAct, useLoad, usePage, usePages } from './page.ts';
import { Card, FactList, Form, Message, More, Pick, Shown, Table, Tag } from './parts.tsx';
import type { PageWords } from './words.ts';

/** Where Zoho's webhooks arrive. */
export function Addresses() {
  const { words, api, language } = usePage();
  const hooks = useLoad(() => api.get<Views['hooks']>('/webhooks'));
  const { act, isBusy, message } = useAct();
  const [made, setMade] = useState<Views['newHook'] | null>(null);
  const [module, setModule] = useState('invoices');
  const make = (path: string, body: object = {}) =>
    act(async () => {
      setMade(await api.post<Views['newHook']>(path, body));
      hooks.reload();
    });
  const remove = (id: string) =>
    act(async () => {
      await api.post(`/webhooks/${id}/remove`);
      hooks.reload();
    });
  return (
    <Card title={words.addresses}>
      <p class="quiet">{words.addressesNext}</p>
      <Message text={message} />
      {made ? (
        <div class="notice good" role="status">
          <p>{words.addressOnce}</p>
          <FactList
            rows={[
              [words.addressUrl, made.url],
              [words.addressSecret, made.secret],
            ]}
          />
        </div>
      ) : null}
      <Shown of={hooks}>
        {({ webhooks }) => (
          <Table
            columns={[words.addressFor, words.prefix, words.lastDelivery, words.until, words.todo]}
            empty={words.none}
            rows={webhooks.map((each) => ({
              key: each.id,
              cells: [
                each.module === 'invoices' ? words.invoices : words.creditNotes,
                <code>{each.prefix}…</code>,
                moment(each.last_delivery_at, language),
                moment(each.ends_at, language),
                <>
                  <button
                    type="button"
                    class="button link"
                    disabled={isBusy}
                    onClick={() => void make(`/webhooks/${each.id}/rotate`)}
                  >
                    {words.rotate}
                  </button>{' '}
                  <button
                    type="button"
                    class="button link"
                    disabled={isBusy}
                    onClick={() => void remove(each.id)}
                  >
                    {words.remove}
                  </button>
                </>,
              ],
            }))}
          />
        )}
      </Shown>
      <Form
        onSubmit={() => make('/webhooks', { module })}
        submit={words.newAddress}
        isBusy={isBusy}
      >
        <Pick
          label={words.addressFor}
          value={module}
          choices={[
            ['invoices', words.invoices],
            ['creditnotes', words.creditNotes],
          ]}
          onChange={setModule}
        />
      </Form>
    </Card>
  );
}

const tones = {
  accepted: 'good',
  hint: 'wait',
  forged: 'bad',
  foreign: 'bad',
  malformed: 'bad',
  repeated: undefined,
  stale: undefined,
  ping: undefined,
} as const;

/** What arrived, and whether it was believed. */
export function Deliveries() {
  const { words, api, language } = usePage();
  const { act, isBusy, message } = useAct();
  const { first, rows, more } = usePages(async (cursor) => {
    const page = await api.get<Views['deliveries']>(
      `/webhooks/deliveries?limit=20${cursor ? `&cursor=${cursor}` : ''}`,
    );
    return { rows: page.deliveries, next: page.next_cursor };
  });
  return (
    <Card title={words.deliveries}>
      <Message text={message} />
      <Shown of={first}>
        {() => (
          <>
            <Table
              columns={[words.when, words.verdict, words.document, words.origin]}
              empty={words.none}
              rows={rows.map((each) => {
                const tone = tones[each.verdict];
                return {
                  key: each.id,
                  cells: [
                    moment(each.at, language),
                    <Tag {...(tone ? { tone } : {})}>
                      {words[`v_${each.verdict}` as keyof PageWords]}
                    </Tag>,
                    each.document_id ?? '',
                    each.origin ?? '',
                  ],
                };
              })}
            />
            <More onClick={more && (() => void act(more))} isBusy={isBusy} />
          </>
        )}
      </Shown>
    </Card>
  );
}
