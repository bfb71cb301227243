import { useState } from 'preact/hooks';
import type { Views } from './api.ts';
import { moment, useAct, useLoad, usePage } from './page.ts';
import { Card, Form, Message, Shown, Table } from './parts.tsx';
import { filled } from './words.ts';

/**
 * Who has lost their second factor, and whoever may decide about it; nothing is shown while nobody
 * has.
 */
export function WaysBack({ businessId }: { businessId?: string }) {
  const { words, api, language } = usePage();
  const path = businessId ? `/businesses/${businessId}/ways-back` : '/ways-back';
  const asked = useLoad(() => api.get<Views['waysBack']>(path), [path]);
  const { act, isBusy, message, isGood } = useAct();
  const self = api.session?.person.id;
  const grant = (id: string) =>
    act(async () => {
      await (businessId
        ? api.post(`${path}/grant`, { way_back_id: id })
        : api.post(`${path}/${id}/grant`));
      asked.reload();
    }, words.wayBackGranted);
  const refuse = (id: string) =>
    act(async () => {
      await api.post(`${path}/${id}/refuse`);
      asked.reload();
    });
  if (asked.data?.ways_back.length === 0 && !message) return null;
  return (
    <Card title={words.waysBack} tone="wait">
      <p>{businessId ? words.waysBackOperator : words.waysBackNext}</p>
      <Message text={message} isGood={isGood} />
      <Shown of={asked}>
        {(is) => (
          <Table
            columns={[words.name, words.when, words.origin, words.details]}
            empty={words.none}
            rows={is.ways_back.map((each) => ({
              key: each.id,
              cells: [
                <>
                  <bdi>{each.name}</bdi> <bdi class="quiet small">{each.username}</bdi>
                </>,
                moment(each.asked_at, language),
                <>
                  <bdi>{each.address ?? ''}</bdi>{' '}
                  <bdi class="quiet small">{each.user_agent?.slice(0, 80) ?? ''}</bdi>
                </>,
                decide(each),
              ],
            }))}
          />
        )}
      </Shown>
    </Card>
  );

  function decide(each: Views['waysBack']['ways_back'][number]) {
    const isOwn = each.person_id === self;
    const opens = new Date(each.operator_from) <= new Date();
    if (businessId && each.has_other_admin) return <span class="quiet">{words.wayBackAdmin}</span>;
    if (businessId && !opens)
      return (
        <span class="quiet">
          {filled(words.wayBackFrom, { time: moment(each.operator_from, language) })}
        </span>
      );
    return (
      <div class="actions">
        {isOwn ? (
          <span class="quiet">{words.wayBackOwn}</span>
        ) : (
          <button
            type="button"
            class="button plain"
            aria-label={`${words.wayBackGrant}: ${each.name}`}
            disabled={isBusy}
            onClick={() => void grant(each.id)}
          >
            {words.wayBackGrant}
          </button>
        )}
        {businessId ? null : (
          <button
            type="button"
            class="button link"
            aria-label={`${words.wayBackRefuse}: ${each.name}`}
            disabled={isBusy}
            onClick={() => void refuse(each.id)}
          >
            {words.wayBackRefuse}
          </button>
        )}
      </div>
    );
  }
}

/**
 * By the link that every admin was mailed, signed in or not. Pressed, not only opened: programs
 * that look at mails open what stands in them.
 */
export function ObjectToWayBack({ token }: { token: string }) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [isDone, setDone] = useState(false);
  const object = () =>
    act(async () => {
      await api.post('/auth/way-back/object', { token });
      setDone(true);
    });
  return (
    <Card title={words.wayBackObject}>
      {isDone ? (
        <p role="status" class="notice good">
          {words.wayBackObjected}
        </p>
      ) : (
        <Form onSubmit={object} submit={words.wayBackObject} isBusy={isBusy}>
          <p>{token.startsWith('adr.') ? words.addressObjectNext : words.wayBackObjectNext}</p>
          <Message text={message} />
        </Form>
      )}
    </Card>
  );
}
