import { useState } from 'preact/hooks';
import type { Views } from './api.ts';
import { LeaveOpen, unsettledOf } from './leave-open.tsx';
import { useAct, useLoad, usePage } from './page.ts';
import {
  AdoptionFields,
  Card,
  Check,
  type DeviceAddress,
  DeviceFields,
  Form,
  Message,
  noAdoption,
  Pick,
  Shown,
  Tag,
  Text,
} from './parts.tsx';
import { ConnectForm } from './zoho.tsx';
import { filled, type PageWords } from './words.ts';

type SetupView = Views['setup'];
type StepName = keyof SetupView['steps'];
type StepProps = { setup: SetupView; onChange(setup: SetupView): void };

const order: StepName[] = ['business', 'vsdc', 'zoho', 'rehearsal'];
const tones = { done: 'good', open: undefined, broken: 'bad' } as const;

/** Four steps; the device and Zoho are tried at each look. One that is done can be opened again. */
export function SetupPage() {
  const { words, api } = usePage();
  const setup = useLoad(() => api.get<SetupView>('/businesses/me/setup/status'));
  const [opened, open] = useState<StepName | null>(null);
  const state = (step: SetupView['steps'][StepName]) =>
    ({ done: words.stepDone, open: words.stepOpen, broken: words.stepBroken })[step.state];
  return (
    <Shown of={setup}>
      {(is) => {
        const shown = opened ?? is.next;
        return (
          <>
            {is.next === null ? <p class="notice good">{words.setupDone}</p> : null}
            {order.map((name, index) => {
              const step = is.steps[name];
              const title = words[`step${index + 1}` as keyof PageWords];
              return (
                <Card
                  key={name}
                  title={title}
                  {...(step.state === 'broken' ? { tone: 'bad' as const } : {})}
                  actions={
                    <>
                      <span class="quiet">{filled(words.step, { n: index + 1 })}</span>
                      <Tag tone={tones[step.state]}>{state(step)}</Tag>
                      {shown === name ? null : (
                        <button
                          type="button"
                          class="button link"
                          aria-label={`${words.details}: ${title}`}
                          onClick={() => open(name)}
                        >
                          {words.details}
                        </button>
                      )}
                    </>
                  }
                >
                  {step.problem ? (
                    <p class="notice bad">
                      <strong>{step.problem.title}</strong>{' '}
                      <span class="quiet">{step.problem.detail}</span>
                    </p>
                  ) : null}
                  {shown === name ? (
                    <Step
                      name={name}
                      setup={is}
                      onChange={(next) => {
                        setup.set(next);
                        open(null);
                      }}
                    />
                  ) : null}
                </Card>
              );
            })}
          </>
        );
      }}
    </Shown>
  );
}

function Step({ name, ...props }: StepProps & { name: StepName }) {
  switch (name) {
    case 'business':
      return <BusinessStep {...props} />;
    case 'vsdc':
      return <VsdcStep {...props} />;
    case 'zoho':
      return <ZohoStep {...props} />;
    case 'rehearsal':
      return <RehearsalStep {...props} />;
  }
}

function BusinessStep({ onChange }: StepProps) {
  const { api } = usePage();
  const business = useLoad(() => api.get<Views['business']>('/businesses/me'));
  return <Shown of={business}>{(is) => <BusinessForm is={is} onChange={onChange} />}</Shown>;
}

function BusinessForm({
  is,
  onChange,
}: {
  is: Views['business'];
  onChange: StepProps['onChange'];
}) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [value, set] = useState({
    location: is.location,
    phone_number: is.phone_number,
    vat_registered: is.vat_registered,
    go_live_date: is.go_live_date,
  });
  return (
    <Form
      onSubmit={() =>
        act(async () => onChange(await api.post<SetupView>('/businesses/me/setup/step1', value)))
      }
      submit={words.save}
      isBusy={isBusy}
    >
      <p class="quiet">{words.step1Next}</p>
      <Text
        label={words.location}
        value={value.location}
        onInput={(location) => set({ ...value, location })}
        autocomplete="street-address"
      />
      <Text
        label={words.phone}
        value={value.phone_number}
        onInput={(phone_number) => set({ ...value, phone_number })}
        mode="tel"
        autocomplete="tel"
      />
      <Text
        label={words.goLive}
        value={value.go_live_date}
        onInput={(go_live_date) => set({ ...value, go_live_date })}
        type="date"
        hint={words.goLiveHint}
      />
      <Check
        label={words.vatRegistered}
        checked={value.vat_registered}
        onChange={(vat_registered) => set({ ...value, vat_registered })}
      />
      <Message text={message} />
    </Form>
  );
}

function VsdcStep({ onChange }: StepProps) {
  const { api } = usePage();
  const branches = useLoad(() => api.get<Views['branches']>('/branches'));
  return (
    <Shown of={branches}>
      {(is) => <VsdcForm device={is.branches[0]?.device ?? null} onChange={onChange} />}
    </Shown>
  );
}

function VsdcForm({
  device,
  onChange,
}: {
  device: Views['branches']['branches'][number]['device'];
  onChange: StepProps['onChange'];
}) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [value, set] = useState<DeviceAddress>({
    address: device?.address ?? '',
    serial: device?.serial ?? '',
    environment: device?.environment ?? 'sandbox',
  });
  const [isAdopting, setAdopting] = useState(false);
  const [adopt, setAdopt] = useState(noAdoption);
  const submit = () =>
    act(async () =>
      onChange(
        await api.post<SetupView>('/businesses/me/setup/step2', {
          ...value,
          ...(isAdopting ? { adopt } : {}),
        }),
      ),
    );
  return (
    <Form onSubmit={submit} submit={words.tryIt} isBusy={isBusy}>
      <p class="quiet">{words.step2Next}</p>
      <DeviceFields value={value} onChange={set} />
      {device && device.state !== 'new' ? null : (
        <Check label={words.adoptInstead} checked={isAdopting} onChange={setAdopting} />
      )}
      {isAdopting ? <AdoptionFields value={adopt} onChange={setAdopt} /> : null}
      <Message text={message} />
    </Form>
  );
}

const scopes =
  'ZohoBooks.invoices.READ,ZohoBooks.creditnotes.READ,ZohoBooks.contacts.READ,ZohoBooks.settings.READ';

function ZohoStep({ onChange }: StepProps) {
  const { words, api } = usePage();
  const zoho = useLoad(() => api.get<Views['zoho']>('/businesses/me/zoho-config'));
  const { act, isBusy, message } = useAct();
  const [value, set] = useState({ data_centre: 'com', client_id: '', client_secret: '', code: '' });
  const [seen, setSeen] = useState<Views['zohoSetup']['organizations']>([]);
  const [organization, choose] = useState('');
  const [unsettled, ask] = useState<{ organization_id?: string; leave_open: number } | null>(null);
  const send = (body: { organization_id?: string; leave_open?: number; code?: string }) =>
    act(async () => {
      ask(null);
      const reply = await api
        .post<Views['zohoSetup']>('/businesses/me/setup/step3', body)
        .catch((error: unknown) => {
          const leave_open = unsettledOf(error);
          // A code works once, and what it allowed is kept: it is not given again.
          if (leave_open !== null)
            ask({
              ...(body.organization_id ? { organization_id: body.organization_id } : {}),
              leave_open,
            });
          throw error;
        });
      if (reply.setup.steps.zoho.state === 'done') return onChange(reply.setup);
      setSeen(reply.organizations);
      choose(reply.organizations[0]?.organization_id ?? '');
    });
  const leave = unsettled ? (
    <LeaveOpen
      count={unsettled.leave_open}
      isBusy={isBusy}
      onLeave={() => void send(unsettled)}
      onCancel={() => ask(null)}
    />
  ) : null;
  if (seen.length > 0)
    return (
      <Form
        onSubmit={() => send({ organization_id: organization })}
        submit={words.connect}
        isBusy={isBusy}
      >
        <p>{words.chooseOrganization}</p>
        <Pick
          label={words.organization}
          value={organization}
          choices={seen.map((each) => [
            each.organization_id,
            `${each.name} (${each.organization_id})`,
          ])}
          onChange={choose}
        />
        <Message text={message} />
        {leave}
      </Form>
    );
  return (
    <>
      {zoho.data?.organization_id ? (
        <p>{filled(words.connectedTo, { name: zoho.data.organization_id })}</p>
      ) : null}
      <Shown of={zoho}>
        {(is) => <ConnectForm isAgain={is.organization_id !== null} centres={is.data_centres} />}
      </Shown>
      <details>
        <summary>{words.orCode}</summary>
        <Form onSubmit={() => send(value)} submit={words.connect} isBusy={isBusy}>
          <p class="quiet">{words.step3Next}</p>
          <p class="quiet">
            {words.scopes}: <code>{scopes}</code>
          </p>
          <Text
            label={words.dataCentre}
            value={value.data_centre}
            onInput={(data_centre) => set({ ...value, data_centre })}
            hint="com, eu, in, com.au, jp, ca, com.cn, sa, uk"
          />
          <Text
            label={words.clientId}
            value={value.client_id}
            onInput={(client_id) => set({ ...value, client_id })}
          />
          <Text
            label={words.clientSecret}
            value={value.client_secret}
            onInput={(client_secret) => set({ ...value, client_secret })}
            type="password"
          />
          <Text
            label={words.grantCode}
            value={value.code}
            onInput={(code) => set({ ...value, code })}
          />
          <Message text={message} />
          {leave}
        </Form>
      </details>
    </>
  );
}

function RehearsalStep({ setup, onChange }: StepProps) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [documentId, setDocumentId] = useState('');
  return (
    <>
      {setup.rehearsal.length > 0 ? (
        <ul class="plain">
          {setup.rehearsal.map((each) => (
            <li key={each.what}>
              <Tag tone={each.state === 'done' ? 'good' : 'bad'}>
                {each.state === 'done' ? words.stepDone : words.stepBroken}
              </Tag>{' '}
              {words[`r_${each.what}` as keyof PageWords] ?? each.what}
              <span class="quiet">
                <bdi>{each.detail}</bdi>
              </span>
            </li>
          ))}
        </ul>
      ) : null}
      <Form
        onSubmit={() =>
          act(async () =>
            onChange(
              await api.post<SetupView>(
                '/businesses/me/setup/rehearsal',
                documentId ? { document_id: documentId } : {},
              ),
            ),
          )
        }
        submit={words.rehearse}
        isBusy={isBusy}
      >
        <p class="quiet">
          {setup.environment === 'production' ? words.step4Production : words.step4Sandbox}
        </p>
        {setup.steps.rehearsal.state === 'done' && setup.environment === 'sandbox' ? (
          <p class="notice wait">
            {words.stillRehearsing} <a href="#/branches">{words.branches}</a>.
          </p>
        ) : null}
        {setup.steps.rehearsal.state === 'broken' ? (
          <p class="notice bad">
            {words.rehearsalFailed} <a href="#/mappings">{words.mappings}</a>
          </p>
        ) : null}
        <Text
          label={words.document}
          value={documentId}
          onInput={setDocumentId}
          required={false}
          mode="numeric"
          hint="Zoho invoice id"
        />
        <Message text={message} />
      </Form>
    </>
  );
}
