import { useState } from 'preact/hooks';
import type { Views } from './api.ts';
import { useAct, useLoad, usePage } from './page.ts';
import { Card, Check, Form, Lines, Message, Pick, Shown, Tag, Text } from './parts.tsx';
import type { PageWords } from './words.ts';

type Config = Views['config'];

/** What Muhuri does without anybody pressing a button. */
export function Automation() {
  const { api } = usePage();
  const config = useLoad(() => api.get<Config>('/businesses/me/config'));
  return <Shown of={config}>{(is) => <AutomationForm is={is} onSaved={config.set} />}</Shown>;
}

const split = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

function AutomationForm({ is, onSaved }: { is: Config; onSaved(config: Config): void }) {
  const { words, api } = usePage();
  const { act, isBusy, message, isGood } = useAct();
  const [value, set] = useState({
    auto_seal: is.settings.auto_seal,
    write_back: is.settings.write_back,
    mail_after_seal: is.settings.mail_after_seal,
    zoho_sign_in: is.settings.zoho_sign_in,
    prefixes: is.settings.exempt.number_prefixes.join('\n'),
    customers: is.settings.exempt.customer_ids.join('\n'),
    seal_fields: is.settings.seal_fields,
  });
  const save = () =>
    act(async () => {
      const { auto_seal, write_back, mail_after_seal, zoho_sign_in, seal_fields } = value;
      const exempt = {
        ...is.settings.exempt,
        number_prefixes: split(value.prefixes),
        customer_ids: split(value.customers),
      };
      onSaved(
        await api.put<Config>('/businesses/me/config', {
          version: is.version,
          settings: { auto_seal, write_back, mail_after_seal, zoho_sign_in, exempt, seal_fields },
        }),
      );
    }, words.saved);
  return (
    <Card title={words.automation}>
      <Form onSubmit={save} submit={words.save} isBusy={isBusy}>
        <Pick
          label={words.autoSeal}
          value={value.auto_seal}
          choices={[
            ['off', words.autoOff],
            ['approved', words.autoApproved],
            ['sent', words.autoSent],
          ]}
          onChange={(auto_seal) => set({ ...value, auto_seal: auto_seal as 'off' })}
        />
        {value.auto_seal === 'sent' && !value.mail_after_seal ? (
          <p class="notice wait">{words.autoSentWarning}</p>
        ) : null}
        <Check
          label={words.writeBack}
          hint={words.writeBackHint}
          checked={value.write_back}
          onChange={(write_back) => set({ ...value, write_back })}
        />
        <Check
          label={words.mailAfter}
          hint={words.mailAfterHint}
          checked={value.mail_after_seal}
          onChange={(mail_after_seal) => set({ ...value, mail_after_seal })}
        />
        <Pick
          label={words.zohoWho}
          value={value.zoho_sign_in}
          choices={(['users', 'members', 'off'] as const).map((each): [string, string] => [
            each,
            words[`zohoWho_${each}`],
          ])}
          onChange={(zoho_sign_in) => set({ ...value, zoho_sign_in: zoho_sign_in as 'off' })}
        />
        <p class="quiet">{words.zohoWhoHint}</p>
        <Lines
          label={words.exemptPrefixes}
          hint={words.exemptHint}
          value={value.prefixes}
          onInput={(prefixes) => set({ ...value, prefixes })}
        />
        <Lines
          label={words.exemptCustomers}
          value={value.customers}
          onInput={(customers) => set({ ...value, customers })}
        />
        <details>
          <summary>{words.sealFields}</summary>
          {(Object.keys(value.seal_fields) as (keyof typeof value.seal_fields)[]).map((key) => (
            <Text
              key={key}
              label={words[`f_${key}` as keyof PageWords]}
              value={value.seal_fields[key]}
              onInput={(text) =>
                set({ ...value, seal_fields: { ...value.seal_fields, [key]: text } })
              }
              required={false}
              hint="cf_…"
            />
          ))}
        </details>
        <Message text={message} isGood={isGood} />
      </Form>
    </Card>
  );
}

/** What is, or would be, made in Zoho itself. */
export function Installation({ onChange }: { onChange(): void }) {
  const { words, api } = usePage();
  const plan = useLoad(() => api.get<Views['plan']>('/zoho/installation'));
  const { act, isBusy, message, isGood } = useAct();
  const send = (path: string) =>
    act(async () => {
      plan.set(await api.post<Views['plan']>(path));
      onChange();
    }, words.saved);
  return (
    <Card title={words.installation}>
      <p class="quiet">{words.installationNext}</p>
      <Message text={message} isGood={isGood} />
      <Shown of={plan}>
        {({ parts }) => (
          <>
            <ul class="plain">
              {parts.map((each) => (
                <li key={`${each.kind}/${each.name}`}>
                  <Tag {...(each.is_there ? { tone: 'good' as const } : {})}>
                    {each.is_there ? words.isThere : words.wouldBeMade}
                  </Tag>{' '}
                  {words[`part_${each.kind}` as keyof PageWords]} <bdi>{each.name}</bdi>
                </li>
              ))}
            </ul>
            <div class="row">
              {parts.every((each) => each.is_there) ? null : (
                <button
                  type="button"
                  class="button"
                  disabled={isBusy}
                  onClick={() => void send('/zoho/installation')}
                >
                  {words.install}
                </button>
              )}
              {parts.some((each) => each.is_there && each.kind !== 'field') ? (
                <button
                  type="button"
                  class="button plain"
                  disabled={isBusy}
                  onClick={() => void send('/zoho/installation/remove')}
                >
                  {words.uninstall}
                </button>
              ) : null}
            </div>
          </>
        )}
      </Shown>
    </Card>
  );
}
