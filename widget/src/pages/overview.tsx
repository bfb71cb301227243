import { useState } from 'preact/hooks';
import type { Views } from './api.ts';
import { moment, money, useAct, useLoad, usePage, usePages } from './page.ts';
import { Bars, Card, Message, More, Pick, Shown, Table, Tag, Text } from './parts.tsx';

const tones = {
  signed: 'good',
  refused: 'bad',
  in_doubt: 'wait',
  queued: 'wait',
  withdrawn: undefined,
} as const;
type Receipt = Views['receipts']['receipts'][number];

/** Where a business stands: what needs attention, the last thirty days, the latest receipts. */
export function Overview() {
  const { words, api, language } = usePage();
  const stats = useLoad(() => api.get<Views['stats']>('/businesses/me/stats'));
  const alerts = useLoad(() => api.get<Views['alerts']>('/alerts'));
  const { act, isBusy, message } = useAct();
  return (
    <>
      <Message text={message} />
      <Shown of={alerts}>
        {({ alerts: open }) =>
          open.length === 0 ? null : (
            <Card title={words.alerts} tone="wait">
              <ul class="plain">
                {open.map((each) => (
                  <li key={each.id}>
                    <strong>{each.problem.title}</strong>
                    <span class="quiet">
                      {each.problem.detail} {moment(each.opened_at, language)}
                    </span>
                    <button
                      type="button"
                      class="button plain"
                      disabled={isBusy}
                      onClick={() =>
                        act(async () => {
                          await api.post(`/alerts/${each.id}/close`);
                          alerts.reload();
                        })
                      }
                    >
                      {words.seen}
                    </button>
                  </li>
                ))}
              </ul>
            </Card>
          )
        }
      </Shown>
      <Card title={words.last30}>
        <Shown of={stats}>
          {(is) => (
            <>
              <dl class="numbers">
                {[
                  [words.signed, is.signed],
                  [words.refunds, is.refunds],
                  [words.refused, is.refused],
                  [words.toSeal, is.due],
                  [words.queued, is.queued],
                  [words.inDoubt, is.in_doubt],
                  ...(is.sealed_elsewhere > 0
                    ? [[words.s_sealed_elsewhere, is.sealed_elsewhere] as const]
                    : []),
                ].map(([name, value]) => (
                  <div key={name}>
                    <dt>{name}</dt>
                    <dd>{value}</dd>
                  </div>
                ))}
                <div>
                  <dt>{words.amount}</dt>
                  <dd>
                    <bdi>
                      {is.currency} {money(is.total, language)}
                    </bdi>
                  </dd>
                </div>
              </dl>
              <Bars
                title={words.perDay}
                unit={words.signed}
                days={is.days.map((each) => ({ day: each.day, value: each.signed }))}
              />
              {is.failures.length > 0 ? (
                <>
                  <h3>{words.failures}</h3>
                  <Table
                    columns={[words.reason, words.refused]}
                    empty={words.none}
                    rows={is.failures.map((each) => ({
                      key: each.code,
                      cells: [each.title, String(each.count)],
                    }))}
                  />
                </>
              ) : null}
            </>
          )}
        </Shown>
      </Card>
      <Receipts />
    </>
  );
}

function Receipts() {
  const { words, api, language } = usePage();
  const [state, setState] = useState('');
  const [search, setSearch] = useState('');
  const { act, isBusy, message } = useAct();
  const filter = `${state ? `&state=${state}` : ''}${search ? `&search=${encodeURIComponent(search)}` : ''}`;
  const { first, rows, more } = usePages(
    async (cursor) => {
      const page = await api.get<Views['receipts']>(
        `/businesses/me/recent-invoices?limit=20${filter}${cursor ? `&cursor=${cursor}` : ''}`,
      );
      return { rows: page.receipts, next: page.next_cursor };
    },
    [filter],
  );
  const names = {
    signed: words.signed,
    refused: words.refused,
    in_doubt: words.inDoubt,
    queued: words.queued,
    withdrawn: words.withdrawn,
  };
  const again = (receipt: Receipt) =>
    act(async () => {
      await api.post('/receipts', { module: receipt.module, document_id: receipt.document_id });
      first.reload();
    });
  return (
    <Card title={words.recent}>
      <div class="row">
        <Text
          label={words.search}
          value={search}
          onInput={setSearch}
          type="search"
          required={false}
        />
        <Pick
          label={words.state}
          value={state}
          choices={[['', words.allStates], ...Object.entries(names)]}
          onChange={setState}
        />
      </div>
      <Message text={message} />
      <Shown of={first}>
        {() => (
          <>
            <Table
              columns={[words.document, words.buyer, words.total, words.state, words.when]}
              empty={words.none}
              rows={rows.map((each) => ({
                key: each.id,
                cells: [
                  <bdi>{each.document_number}</bdi>,
                  <bdi>{each.buyer_name}</bdi>,
                  <bdi>
                    {each.totals.currency} {money(each.totals.total, language)}
                  </bdi>,
                  <>
                    <Tag tone={tones[each.state]}>{names[each.state]}</Tag>
                    {each.problem ? <span class="quiet">{each.problem.title}</span> : null}
                    {each.drift ? <span class="quiet">{each.drift.title}</span> : null}
                    {each.state === 'refused' || each.state === 'withdrawn' ? (
                      <button
                        type="button"
                        class="button link"
                        disabled={isBusy}
                        onClick={() => void again(each)}
                      >
                        {words.sealAgain}
                      </button>
                    ) : null}
                  </>,
                  moment(each.signed_at ?? each.updated_at, language),
                ],
              }))}
            />
            <More onClick={more && (() => void act(more))} isBusy={isBusy} />
          </>
        )}
      </Shown>
    </Card>
  );
}
