import { useState } from 'preact/hooks';
import type { Views } from './api.ts';
import { moment, useAct, useLoad, usePage, usePages } from './page.ts';
import { Bars, Card, Message, Meter, More, Shown, Table, Text } from './parts.tsx';
import { filled } from './words.ts';

/** The trail: a business's own, or the operator's. */
export function ActivityPage({ path, isOwn }: { path: string; isOwn: boolean }) {
  const { words, api, language } = usePage();
  const [filter, setFilter] = useState({ action: '', from: '', to: '' });
  const { act, isBusy, message, isGood } = useAct();
  const query = Object.entries(filter)
    .filter(([, value]) => value)
    .map(([key, value]) => `&${key}=${encodeURIComponent(value)}`)
    .join('');
  const { first, rows, more } = usePages(
    async (cursor) => {
      const page = await api.get<Views['trail']>(
        `${path}?limit=50${query}${cursor ? `&cursor=${cursor}` : ''}`,
      );
      return { rows: page.trail, next: page.next_cursor };
    },
    [query],
  );
  const [checked, setChecked] = useState('');
  const verify = () =>
    act(async () => {
      const check = await api.get<Views['check']>('/trail/verify?whole=true');
      const tail =
        check.unsealed.length > 0
          ? ` ${filled(words.chainTail, { n: check.unsealed.length })}`
          : '';
      setChecked(
        check.broken_at
          ? filled(words.chainBroken, { n: check.broken_at })
          : filled(words.chainWhole, { n: check.sealed }) + tail,
      );
    });
  const download = () =>
    act(async () => {
      const link = Object.assign(document.createElement('a'), {
        href: URL.createObjectURL(await api.file('GET', '/trail.csv')),
        download: 'trail.csv',
      });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    });
  return (
    <Card
      title={words.activity}
      actions={
        isOwn ? (
          <>
            <button
              type="button"
              class="button plain"
              disabled={isBusy}
              onClick={() => void verify()}
            >
              {words.verify}
            </button>
            <button
              type="button"
              class="button plain"
              disabled={isBusy}
              onClick={() => void download()}
            >
              {words.exportCsv}
            </button>
          </>
        ) : null
      }
    >
      {checked ? (
        <p role="status" class="notice good">
          {checked}
        </p>
      ) : null}
      <Message text={message} isGood={isGood} />
      <div class="row">
        <Text
          label={words.action}
          value={filter.action}
          onInput={(action) => setFilter({ ...filter, action })}
          type="search"
          required={false}
        />
        <Text
          label={words.from}
          value={filter.from}
          onInput={(from) => setFilter({ ...filter, from })}
          type="date"
          required={false}
        />
        <Text
          label={words.to}
          value={filter.to}
          onInput={(to) => setFilter({ ...filter, to })}
          type="date"
          required={false}
        />
      </div>
      <Shown of={first}>
        {() => (
          <>
            <Table
              columns={[words.when, words.action, words.actor, words.origin, words.details]}
              empty={words.none}
              rows={rows.map((each) => ({
                key: each.id,
                cells: [
                  moment(each.at, language),
                  <bdi>{each.action}</bdi>,
                  <bdi title={each.actor}>
                    {each.actor_name ?? `${each.actor_type} ${each.actor}`}
                  </bdi>,
                  <bdi>{each.origin ?? ''}</bdi>,
                  <details>
                    <summary>
                      <bdi class="small">{each.subject}</bdi>
                    </summary>
                    <pre dir="ltr" tabIndex={0}>
                      {JSON.stringify({ before: each.before, after: each.after }, null, 1)}
                    </pre>
                  </details>,
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

/** What the business has used of its quotas. */
export function UsagePage() {
  const { words, api } = usePage();
  const usage = useLoad(() => api.get<Views['usage']>('/businesses/me/usage'));
  return (
    <Card title={words.usage}>
      <Shown of={usage}>
        {(is) => (
          <>
            {is.quotas.map((each) => (
              <Meter
                key={each.period}
                used={each.used}
                limit={each.limit}
                label={`${words.requests} ${each.period === 'minute' ? words.perMinute : words.perDayShort}: ${filled(words.usedOf, { used: each.used, limit: each.limit })}`}
              />
            ))}
            <Bars
              title={words.requestsPerDay}
              unit={words.requests}
              days={is.days.map((each) => ({ day: each.day, value: each.requests }))}
            />
            <Bars
              title={words.perDay}
              unit={words.signed}
              days={is.days.map((each) => ({ day: each.day, value: each.receipts }))}
            />
          </>
        )}
      </Shown>
    </Card>
  );
}
