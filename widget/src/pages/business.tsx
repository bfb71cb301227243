import { useEffect, useState } from 'preact/hooks';
import type { Views } from './api.ts';
import { moment, useAct, useLoad, usePage } from './page.ts';
import { Card, Check, FactList, Form, Lines, Message, Pick, Shown, Table, Text } from './parts.tsx';

type Config = Views['config'];

/** What a business decides about itself and its receipts. */
export function BusinessPage() {
  const { words, api } = usePage();
  const config = useLoad(() => api.get<Config>('/businesses/me/config'));
  const business = useLoad(() => api.get<Views['business']>('/businesses/me'));
  const support = useLoad(() => api.get<Views['support']>('/support-access'));
  const { language } = usePage();
  return (
    <>
      <Shown of={business}>
        {(is) => (
          <Card title={is.business_name}>
            <FactList
              rows={[
                [words.tin, is.tin_number],
                [words.email, is.email],
                [words.organization, is.organization_id],
                [words.state, words[`s_${is.status}`]],
              ]}
            />
          </Card>
        )}
      </Shown>
      <Shown of={config}>{(is) => <ConfigForm is={is} onSaved={config.set} />}</Shown>
      <Card title={words.supportLog}>
        <Shown of={support}>
          {(is) => (
            <Table
              columns={[words.actor, words.reason, words.from, words.to]}
              empty={words.none}
              rows={is.support_access.map((each) => ({
                key: each.id,
                cells: [
                  <bdi>{each.operator_name}</bdi>,
                  <bdi>{each.reason}</bdi>,
                  moment(each.begun_at, language),
                  moment(each.ended_at ?? each.until, language),
                ],
              }))}
            />
          )}
        </Shown>
      </Card>
    </>
  );
}

function ConfigForm({ is, onSaved }: { is: Config; onSaved(config: Config): void }) {
  const { words, api } = usePage();
  const { act, isBusy, message, isGood } = useAct();
  const [value, set] = useState(is);
  const settings = (change: Partial<Config['settings']>) =>
    set({ ...value, settings: { ...value.settings, ...change } });
  const save = () =>
    act(async () => {
      const { settings, go_live_date, location, phone_number } = value;
      onSaved(
        await api.put<Config>('/businesses/me/config', {
          settings,
          go_live_date,
          location,
          phone_number,
          version: is.version,
        }),
      );
    }, words.saved);
  return (
    <Card title={words.settings}>
      <Form onSubmit={save} submit={words.save} isBusy={isBusy}>
        <div class="columns">
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
          <Text
            label={words.daysMax}
            value={String(value.settings.document_age_days_max)}
            onInput={(days) => settings({ document_age_days_max: Number(days) || 1 })}
            type="number"
            mode="numeric"
          />
          <Pick
            label={words.headerTax}
            value={value.settings.header_tax}
            choices={[
              ['lines', words.headerTaxLines],
              ['class', words.headerTaxClass],
            ]}
            onChange={(header_tax) => settings({ header_tax: header_tax as 'lines' })}
          />
          <Pick
            label={words.qrForm}
            value={value.settings.qr_form}
            choices={[
              ['url', words.qrUrl],
              ['hash', words.qrHash],
            ]}
            onChange={(qr_form) => settings({ qr_form: qr_form as 'url' })}
          />
          <Text
            label={words.fieldTin}
            value={value.settings.custom_fields.buyer_tin}
            onInput={(buyer_tin) =>
              settings({ custom_fields: { ...value.settings.custom_fields, buyer_tin } })
            }
          />
          <Text
            label={words.fieldCode}
            value={value.settings.custom_fields.purchase_code}
            onInput={(purchase_code) =>
              settings({ custom_fields: { ...value.settings.custom_fields, purchase_code } })
            }
          />
        </div>
        <Check
          label={words.partialRefunds}
          hint={words.partialRefundsHint}
          checked={value.settings.partial_refunds}
          onChange={(partial_refunds) => settings({ partial_refunds })}
        />
        <Check
          label={words.reversal}
          hint={words.partialRefundsHint}
          checked={value.settings.reversal_without_data}
          onChange={(reversal_without_data) => settings({ reversal_without_data })}
        />
        <Message text={message} isGood={isGood} />
      </Form>
    </Card>
  );
}

/** How receipts look, with a training receipt drawn as one types. */
export function BrandingPage() {
  const { api } = usePage();
  const config = useLoad(() => api.get<Config>('/businesses/me/config'));
  return <Shown of={config}>{(is) => <BrandingForm is={is} onSaved={config.set} />}</Shown>;
}

const logoBytesMax = 200_000;

function BrandingForm({ is, onSaved }: { is: Config; onSaved(config: Config): void }) {
  const { words, api } = usePage();
  const { act, isBusy, message, isGood } = useAct();
  const [value, set] = useState(is.branding);
  const [preview, setPreview] = useState('');
  const change = (to: Partial<Config['branding']>) => set({ ...value, ...to });
  const lines = (text: string) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
      .slice(0, 4);
  const branding = { ...value, email: value.email || null, phone: value.phone || null };
  const draw = () =>
    act(async () => {
      const blob = await api.file('POST', '/businesses/me/branding/preview', { branding });
      if (preview) URL.revokeObjectURL(preview);
      setPreview(URL.createObjectURL(blob));
    });
  // Drawn again a moment after the last change: a preview that has to be asked for is not looked
  // at.
  useEffect(() => {
    const timer = setTimeout(() => void draw(), 600);
    return () => clearTimeout(timer);
  }, [value]);
  const pickLogo = (file: File | undefined) => {
    if (!file) return;
    void act(async () => {
      if (file.size > logoBytesMax) throw new Error(words.logo);
      const bytes = new Uint8Array(await file.arrayBuffer());
      let text = '';
      for (const byte of bytes) text += String.fromCharCode(byte);
      change({ logo: `data:${file.type};base64,${btoa(text)}` });
    });
  };
  return (
    <Card title={words.branding}>
      <div class="beside">
        <Form
          onSubmit={() =>
            act(
              async () =>
                onSaved(
                  await api.put<Config>('/businesses/me/config', { branding, version: is.version }),
                ),
              words.saved,
            )
          }
          submit={words.save}
          isBusy={isBusy}
        >
          <Text
            label={words.tradeName}
            value={value.trade_name}
            onInput={(trade_name) => change({ trade_name })}
          />
          <Lines
            label={words.addressLines}
            value={value.address_lines.join('\n')}
            onInput={(text) => change({ address_lines: lines(text) })}
            hint={words.oneALine}
          />
          <Text
            label={words.email}
            value={value.email ?? ''}
            onInput={(email) => change({ email })}
            type="email"
            required={false}
          />
          <Text
            label={words.phone}
            value={value.phone ?? ''}
            onInput={(phone) => change({ phone })}
            mode="tel"
            required={false}
          />
          <Text
            label={words.accent}
            value={value.accent_color}
            onInput={(accent_color) => change({ accent_color })}
            type="color"
          />
          <p class="field">
            <label>
              {words.logo}
              <input
                type="file"
                accept="image/png,image/jpeg"
                onChange={(event) => pickLogo(event.currentTarget.files?.[0])}
              />
            </label>
            {value.logo ? (
              <button type="button" class="button link" onClick={() => change({ logo: null })}>
                {words.removeLogo}
              </button>
            ) : null}
          </p>
          <Lines
            label={words.legalLines}
            value={value.legal_lines.join('\n')}
            onInput={(text) => change({ legal_lines: lines(text) })}
            hint={words.oneALine}
          />
          <Text
            label={words.topMessage}
            value={value.top_message}
            onInput={(top_message) => change({ top_message })}
            required={false}
          />
          <Text
            label={words.bottomMessage}
            value={value.bottom_message}
            onInput={(bottom_message) => change({ bottom_message })}
            required={false}
          />
          <Message text={message} isGood={isGood} />
        </Form>
        <div>
          <h3>{words.preview}</h3>
          {preview ? <iframe class="paper" title={words.preview} src={preview} /> : null}
        </div>
      </div>
    </Card>
  );
}
