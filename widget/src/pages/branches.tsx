import { useState } from 'preact/hooks';
import type { Views } from './api.ts';
import { AuthorityLists, Taxpayer } from './authority.tsx';
import { OriginalPaper } from './original-paper.tsx';
import { moment, useAct, useLoad, usePage } from './page.ts';
import {
  AdoptionFields,
  Card,
  type DeviceAddress,
  DeviceFields,
  FactList,
  Form,
  Message,
  noAdoption,
  Shown,
  Tag,
  Text,
} from './parts.tsx';

type Branch = Views['branches']['branches'][number];

/** Branches with their devices: added, initialised, adopted, tested, paused and resumed. */
export function BranchesPage() {
  const { words, api } = usePage();
  const branches = useLoad(() => api.get<Views['branches']>('/branches'));
  const { act, isBusy, message } = useAct();
  const [value, set] = useState({ branch_code: '', name: '', address: '' });
  return (
    <>
      <Shown of={branches}>
        {({ branches: all }) => (
          <>
            {all.map((branch) => (
              <BranchCard key={branch.id} branch={branch} onChange={branches.reload} />
            ))}
          </>
        )}
      </Shown>
      <Card title={words.addBranch}>
        <Form
          onSubmit={() =>
            act(async () => {
              await api.post('/branches', value);
              set({ branch_code: '', name: '', address: '' });
              branches.reload();
            })
          }
          submit={words.addBranch}
          isBusy={isBusy}
          kind="plain"
        >
          <div class="columns">
            <Text
              label={words.branchCode}
              value={value.branch_code}
              onInput={(branch_code) => set({ ...value, branch_code })}
              mode="numeric"
            />
            <Text
              label={words.name}
              value={value.name}
              onInput={(name) => set({ ...value, name })}
            />
            <Text
              label={words.location}
              value={value.address}
              onInput={(address) => set({ ...value, address })}
              required={false}
            />
          </div>
          <Message text={message} />
        </Form>
      </Card>
    </>
  );
}

function BranchCard({ branch, onChange }: { branch: Branch; onChange(): void }) {
  const { words, api, language } = usePage();
  const { act, isBusy, message } = useAct();
  const [probe, setProbe] = useState<Views['probe'] | null>(null);
  const [shown, show] = useState<'device' | 'adopt' | 'resume' | 'next' | null>(null);
  const { device } = branch;
  const call = (path: string, body: object = {}) =>
    act(async () => {
      await api.post(`/branches/${branch.id}/${path}`, body);
      show(null);
      onChange();
    });
  const isJump = device?.problem?.code === 'total_jumped';
  const isCollision =
    device?.problem?.code === 'number_collision' || device?.problem?.taken_number !== undefined;
  const isAtWork = device?.state === 'active' || device?.state === 'paused';
  return (
    <Card
      title={`${branch.branch_code} ${branch.name}`}
      {...(device?.state === 'paused' ? { tone: 'bad' as const } : {})}
      actions={
        device ? (
          <Tag
            tone={device.state === 'active' ? 'good' : device.state === 'paused' ? 'bad' : 'wait'}
          >
            {words[`dev_${device.state}`]}
          </Tag>
        ) : null
      }
    >
      {device ? (
        <>
          <FactList
            rows={[
              [
                words.environment,
                device.environment === 'sandbox' ? words.sandbox : words.production,
              ],
              [words.address, device.address],
              [words.serial, device.serial],
              [words.sdcId, device.sdc_id],
              [words.mrc, device.mrc_number],
              [words.nextNumber, device.next_invoice_number],
              ...(branch.production_since
                ? [
                    [words.productionSince, moment(branch.production_since, language)] as [
                      string,
                      string,
                    ],
                  ]
                : []),
              [words.lastContact, moment(device.last_contact_at, language)],
              [words.queued, String(device.queued)],
              [words.inDoubt, String(device.in_doubt)],
              ...(device.burnt_numbers.length > 0
                ? [[words.burnt, device.burnt_numbers.join(', ')] as [string, string]]
                : []),
            ]}
          />
          <Taxpayer device={device} onChange={onChange} />
          <KeysAside device={device} />
          {device.problem ? (
            <p class="notice bad">
              <strong>{device.problem.title}</strong>{' '}
              <span class="quiet">{device.problem.detail}</span>
            </p>
          ) : null}
        </>
      ) : (
        <p class="quiet">{words.noDevice}</p>
      )}
      {probe ? (
        <p role="status" class={`notice ${probe.result === 'fine' ? 'good' : 'bad'}`}>
          <strong>{probe.title}</strong>
          <span class="quiet">
            {probe.detail} {probe.answer_ms === null ? '' : `${probe.answer_ms} ms`}
          </span>
        </p>
      ) : null}
      <OriginalPaper branch={branch} onChange={onChange} />
      <Message text={message} />
      <div class="actions">
        {device ? (
          <button
            type="button"
            class="button plain"
            disabled={isBusy}
            onClick={() =>
              act(async () =>
                setProbe(
                  await api.post<Views['probe']>('/businesses/me/test-vsdc', {
                    branch_id: branch.id,
                  }),
                ),
              )
            }
          >
            {words.test}
          </button>
        ) : null}
        <button
          type="button"
          class="button plain"
          onClick={() => show(shown === 'device' ? null : 'device')}
          aria-expanded={shown === 'device'}
        >
          {words.setDevice}
        </button>
        {device?.state === 'new' ? (
          <>
            <button
              type="button"
              class="button main"
              disabled={isBusy}
              onClick={() => void call('initialise')}
            >
              {words.initialise}
            </button>
            <button
              type="button"
              class="button plain"
              onClick={() => show(shown === 'adopt' ? null : 'adopt')}
              aria-expanded={shown === 'adopt'}
            >
              {words.adopt}
            </button>
          </>
        ) : null}
        {device?.state === 'active' ? (
          <button
            type="button"
            class="button plain"
            disabled={isBusy}
            onClick={() => void call('pause')}
          >
            {words.pause}
          </button>
        ) : null}
        {device?.state === 'paused' ? (
          <button
            type="button"
            class="button main"
            disabled={isBusy}
            onClick={() => (isJump || isCollision ? show('resume') : void call('resume'))}
          >
            {words.resume}
          </button>
        ) : null}
        {isAtWork && !branch.next_device ? (
          <button
            type="button"
            class="button plain"
            onClick={() => show(shown === 'next' ? null : 'next')}
            aria-expanded={shown === 'next'}
          >
            {device.environment === 'sandbox' ? words.goProduction : words.replaceDevice}
          </button>
        ) : null}
      </div>
      {shown === 'next' ? (
        <NextForm
          branch={branch}
          onDone={() => {
            show(null);
            onChange();
          }}
        />
      ) : null}
      {branch.next_device ? <NextDevice branch={branch} onChange={onChange} /> : null}
      {device && device.state !== 'new' ? <AuthorityLists branchId={branch.id} /> : null}
      {shown === 'device' ? <DeviceForm branch={branch} onDone={onChange} /> : null}
      {shown === 'adopt' ? (
        <AdoptForm isBusy={isBusy} onSubmit={(body) => void call('adopt', body)} />
      ) : null}
      {shown === 'resume' ? (
        <ResumeForm
          isBusy={isBusy}
          isJump={isJump}
          isCollision={isCollision}
          onSubmit={(body) => void call('resume', body)}
        />
      ) : null}
      {branch.retired_devices.length > 0 ? (
        <details>
          <summary>{words.retiredDevices}</summary>
          {branch.retired_devices.map((each) => (
            <div key={each.id}>
              <FactList
                rows={[
                  [words.serial, each.serial],
                  [
                    words.environment,
                    each.environment === 'sandbox' ? words.sandbox : words.production,
                  ],
                  [words.sdcId, each.sdc_id],
                  [words.retiredAt, moment(each.retired_at, language)],
                  [words.inDoubt, String(each.in_doubt)],
                  [words.burnt, each.burnt_numbers.join(', ')],
                ]}
              />
              <KeysAside device={each} />
            </div>
          ))}
        </details>
      ) : null}
    </Card>
  );
}

/** Keys that came and are in use nowhere: which they are, and what to do. */
function KeysAside({ device }: { device: Pick<NonNullable<Branch['device']>, 'keys_aside'> }) {
  const { words, language } = usePage();
  if (device.keys_aside.length === 0) return null;
  return (
    <details>
      <summary>{words.keysAside}</summary>
      <p class="quiet">{words.keysAsideWhat}</p>
      {device.keys_aside.map((each) => (
        <FactList
          key={`${each.serial} ${each.sdc_id} ${each.asked_at}`}
          rows={[
            [words.serial, each.serial],
            [words.sdcId, each.sdc_id],
            [words.keysAskedAt, moment(each.asked_at, language)],
          ]}
        />
      ))}
    </details>
  );
}

/**
 * Who is to follow the device at work: a production device after a sandbox one, otherwise one in
 * its place.
 */
function NextForm({ branch, onDone }: { branch: Branch; onDone(): void }) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [value, set] = useState({ address: '', serial: '' });
  const isRehearsal = branch.device?.environment === 'sandbox';
  const save = () =>
    act(async () => {
      await api.put(`/branches/${branch.id}/next-device`, {
        for: isRehearsal ? 'production' : 'replacement',
        ...value,
      });
      onDone();
    });
  return (
    <Form onSubmit={save} submit={words.save} isBusy={isBusy}>
      <p>{words.nextIntro}</p>
      <Text
        label={words.address}
        value={value.address}
        onInput={(address) => set({ ...value, address })}
      />
      <Text
        label={words.serial}
        value={value.serial}
        onInput={(serial) => set({ ...value, serial })}
      />
      <Message text={message} />
    </Form>
  );
}

/**
 * The device that was prepared: set up first, then put in the place of the one at work, for good.
 */
function NextDevice({ branch, onChange }: { branch: Branch; onChange(): void }) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [reason, setReason] = useState('');
  const [isAdopting, setAdopting] = useState(false);
  const { device, next_device: next } = branch;
  if (!device || !next) return null;
  const isRehearsal = device.environment === 'sandbox' && next.environment === 'production';
  const call = (path: string, body: object = {}) =>
    act(async () => {
      await api.post(`/branches/${branch.id}/${path}`, body);
      onChange();
    });
  return (
    <section aria-label={words.nextDevice}>
      <h3>
        {words.nextDevice}{' '}
        <Tag tone={next.ready ? 'good' : 'wait'}>{next.ready ? words.ready : words.notReady}</Tag>
      </h3>
      <FactList
        rows={[
          [words.environment, next.environment === 'sandbox' ? words.sandbox : words.production],
          [words.address, next.address],
          [words.serial, next.serial],
          [words.sdcId, next.sdc_id],
          [words.mrc, next.mrc_number],
        ]}
      />
      <KeysAside device={next} />
      {next.problem ? (
        <p class="notice bad">
          <strong>{next.problem.title}</strong> <span class="quiet">{next.problem.detail}</span>
        </p>
      ) : null}
      <Message text={message} />
      {next.ready ? (
        <Form
          onSubmit={() => call('switch', reason ? { reason } : {})}
          submit={words.switchNow}
          isBusy={isBusy}
        >
          <p>{isRehearsal ? words.nextProduction : words.nextReplacement}</p>
          {isRehearsal ? null : (
            <Text label={words.switchReason} value={reason} onInput={setReason} />
          )}
        </Form>
      ) : (
        <>
          <div class="actions">
            <button
              type="button"
              class="button main"
              disabled={isBusy}
              onClick={() => void call('initialise')}
            >
              {words.initialise}
            </button>
            <button
              type="button"
              class="button plain"
              onClick={() => setAdopting(!isAdopting)}
              aria-expanded={isAdopting}
            >
              {words.adopt}
            </button>
          </div>
          {isAdopting ? (
            <AdoptForm isBusy={isBusy} onSubmit={(body) => void call('adopt', body)} />
          ) : null}
        </>
      )}
    </section>
  );
}

function DeviceForm({ branch, onDone }: { branch: Branch; onDone(): void }) {
  const { words, api } = usePage();
  const { act, isBusy, message } = useAct();
  const [value, set] = useState<DeviceAddress>({
    address: branch.device?.address ?? '',
    serial: branch.device?.serial ?? '',
    environment: branch.device?.environment ?? 'sandbox',
  });
  const save = () =>
    act(async () => {
      await api.put('/businesses/me/vsdc-config', { branch_id: branch.id, ...value });
      onDone();
    }, words.saved);
  return (
    <Form onSubmit={save} submit={words.save} isBusy={isBusy}>
      <DeviceFields value={value} onChange={set} />
      <Message text={message} />
    </Form>
  );
}

function AdoptForm({ onSubmit, isBusy }: { onSubmit(body: object): void; isBusy: boolean }) {
  const { words } = usePage();
  const [value, set] = useState(noAdoption);
  return (
    <Form onSubmit={() => onSubmit(value)} submit={words.adopt} isBusy={isBusy}>
      <AdoptionFields value={value} onChange={set} />
    </Form>
  );
}

function ResumeForm({
  onSubmit,
  isBusy,
  isJump,
  isCollision,
}: {
  onSubmit(body: object): void;
  isBusy: boolean;
  isJump: boolean;
  isCollision: boolean;
}) {
  const { words } = usePage();
  const [value, set] = useState({ last_invoice_number: '', evidence: '' });
  return (
    <Form
      onSubmit={() => onSubmit(value.last_invoice_number ? value : { evidence: value.evidence })}
      submit={words.resume}
      isBusy={isBusy}
    >
      {isCollision ? <p>{words.collision}</p> : null}
      {isJump ? <p>{words.totalJumped}</p> : null}
      <Text
        label={isCollision ? words.lastInvoice : words.lastInvoiceIfAny}
        required={isCollision}
        value={value.last_invoice_number}
        onInput={(last_invoice_number) => set({ ...value, last_invoice_number })}
        mode="numeric"
      />
      <Text
        label={words.evidence}
        value={value.evidence}
        onInput={(evidence) => set({ ...value, evidence })}
      />
    </Form>
  );
}
