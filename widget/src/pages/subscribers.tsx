import { useState } from 'preact/hooks';
import type { Views } from './api.ts';
import { Maker } from './maker.tsx';
import { moment, useAct, useLoad, usePage } from './page.ts';
import { Card, Check, FactList, Form, Message, Shown, Table, Tag, Text } from './parts.tsx';
import type { PageWords } from './words.ts';

const tellable = ['signed', 'refused', 'in_doubt', 'settled', 'opened', 'withdrawn'] as const;

/** Addresses of the business's own: who is told of what, and what came of it. */
export function Subscribers() {
  const { words, api, language } = usePage();
  const list = useLoad(() => api.get<Views['subscribers']>('/subscribers'));
  const log = useLoad(() => api.get<Views['notices']>('/notices?limit=20'));
  const { act, isBusy, message } = useAct();
  const [made, setMade] = useState<Views['newSubscriber'] | null>(null);
  const [value, set] = useState<{ url: string; events: Set<string> }>({
    url: '',
    events: new Set(['receipt.signed']),
  });
  const run = (work: () => Promise<unknown>) =>
    act(async () => {
      await work();
      list.reload();
      log.reload();
    });
  const toggle = (event: string, isOn: boolean) => {
    const events = new Set(value.events);
    if (isOn) events.add(event);
    else events.delete(event);
    set({ ...value, events });
  };
  const tones = { waiting: 'wait', delivered: 'good', failed: 'bad' } as const;
  return (
    <Card title={words.subscribers}>
      <p class="quiet">{words.subscribersNext}</p>
      <Message text={message} />
      {made ? (
        <div class="notice good" role="status">
          <p>{words.secretOnce}</p>
          <FactList
            rows={[
              [words.addressUrl, made.subscriber.url],
              [words.addressSecret, made.secret],
            ]}
          />
        </div>
      ) : null}
      <Shown of={list}>
        {({ subscribers }) => (
          <Table
            columns={[words.addressUrl, words.tellOf, words.addedBy, words.addedAt, words.todo]}
            empty={words.none}
            rows={subscribers.map((each) => ({
              key: each.id,
              cells: [
                <bdi>{each.url}</bdi>,
                each.events
                  .map((event) => words[`e_${event.split('.')[1]}` as keyof PageWords])
                  .join(', '),
                <Maker of={each.made_by} />,
                moment(each.created_at, language),
                <>
                  <button
                    type="button"
                    class="button link"
                    disabled={isBusy}
                    onClick={() =>
                      void run(async () =>
                        setMade(
                          await api.post<Views['newSubscriber']>(`/subscribers/${each.id}/rotate`),
                        ),
                      )
                    }
                  >
                    {words.rotate}
                  </button>{' '}
                  <button
                    type="button"
                    class="button link"
                    disabled={isBusy}
                    onClick={() => void run(() => api.post(`/subscribers/${each.id}/remove`))}
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
        onSubmit={() =>
          run(async () => {
            setMade(
              await api.post<Views['newSubscriber']>('/subscribers', {
                url: value.url,
                events: [...value.events],
              }),
            );
            set({ ...value, url: '' });
          })
        }
        submit={words.addSubscriber}
        isBusy={isBusy}
      >
        <Text
          label={words.addressUrl}
          value={value.url}
          onInput={(url) => set({ ...value, url })}
          hint="https://…"
        />
        <fieldset>
          <legend>{words.tellOf}</legend>
          {tellable.map((each) => (
            <Check
              key={each}
              label={words[`e_${each}`]}
              checked={value.events.has(`receipt.${each}`)}
              onChange={(isOn) => toggle(`receipt.${each}`, isOn)}
            />
          ))}
        </fieldset>
      </Form>
      <Shown of={log}>
        {({ notices }) =>
          notices.length === 0 ? null : (
            <Table
              columns={[words.when, words.tellOf, words.state, words.todo]}
              empty={words.none}
              rows={notices.map((each) => ({
                key: each.id,
                cells: [
                  moment(each.created_at, language),
                  words[`e_${each.event.split('.')[1]}` as keyof PageWords],
                  <>
                    <Tag tone={tones[each.state]}>{words[`n_${each.state}`]}</Tag>{' '}
                    <span class="quiet">{each.last_error ?? ''}</span>
                  </>,
                  <button
                    type="button"
                    class="button link"
                    disabled={isBusy}
                    onClick={() => void run(() => api.post(`/notices/${each.id}/replay`))}
                  >
                    {words.sendAgain}
                  </button>,
                ],
              }))}
            />
          )
        }
      </Shown>
    </Card>
  );
}
