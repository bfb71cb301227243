import { useState } from 'preact/hooks';
import { useAct, useLoad, usePage } from './page.ts';
import { Card, Form, Message, Pick, Shown, Text } from './parts.tsx';
import type { PageWords } from './words.ts';

type Choice = { code: string; name: string };
type Mappings = {
  mappings: { key: string; value: Record<string, string> }[];
  choices: Record<string, Choice[]>;
};
type Names = { names: { key: string; name: string }[] };
type Kind = 'tax' | 'location' | 'item' | 'charge' | 'payment_mode';
type Row = { key: string; name: string; fields: string[] };

const itemFields = ['item_class', 'item_type', 'package_unit', 'quantity_unit', 'origin'];

/** What Zoho calls things, and what the authority calls them: chosen once, for every document. */
export function MappingsPage() {
  const { words } = usePage();
  return (
    <>
      <MappingCard kind="tax" title={words.mapTaxes} fixed={[]} fields={['tax_class']} hasNames />
      <MappingCard
        kind="location"
        title={words.mapLocations}
        fixed={[['none', words.mapNoLocation]]}
        fields={['branch_id']}
        hasNames
      />
      <MappingCard
        kind="item"
        title={words.mapItems}
        fixed={[
          ['default', words.mapDefault],
          ['free_text', words.mapFreeText],
        ]}
        fields={itemFields}
      />
      <MappingCard
        kind="charge"
        title={words.mapCharges}
        fixed={[['shipping', words.mapShipping]]}
        fields={itemFields}
      />
      <MappingCard
        kind="charge"
        title={words.mapAdjustment}
        fixed={[['adjustment', words.mapAdjustment]]}
        fields={[...itemFields, 'tax_class']}
      />
      <MappingCard
        kind="payment_mode"
        title={words.mapPayments}
        fixed={[]}
        fields={['payment_method']}
        canAdd
      />
    </>
  );
}

type CardProps = {
  kind: Kind;
  title: string;
  fixed: [key: string, name: string][];
  fields: string[];
  hasNames?: boolean;
  canAdd?: boolean;
};

function MappingCard({ kind, title, fixed, fields, hasNames, canAdd }: CardProps) {
  const { api } = usePage();
  const loaded = useLoad(async () => {
    const [mappings, names] = await Promise.all([
      api.get<Mappings>(`/mappings/${kind}`),
      hasNames
        ? api.get<Names>(`/mappings/${kind}/names`).catch(() => ({ names: [] }))
        : { names: [] },
    ]);
    return { mappings, names: names.names };
  });
  return (
    <Card title={title}>
      <Shown of={loaded}>
        {({ mappings, names }) => {
          const known = new Map([
            ...names.map((each): [string, string] => [each.key, each.name]),
            ...fixed,
          ]);
          // What is mapped and no longer named (a mode of payment, a tax that is gone) stays
          // visible.
          if (hasNames || canAdd)
            for (const { key } of mappings.mappings) if (!known.has(key)) known.set(key, key);
          const rows = [...known].map(([key, name]): Row => ({ key, name, fields }));
          return (
            <MappingForm
              kind={kind}
              rows={rows}
              mappings={mappings}
              canAdd={canAdd ?? false}
              onSaved={loaded.reload}
            />
          );
        }}
      </Shown>
    </Card>
  );
}

type FormProps = { kind: Kind; rows: Row[]; mappings: Mappings; canAdd: boolean; onSaved(): void };

function MappingForm({ kind, rows, mappings, canAdd, onSaved }: FormProps) {
  const { words, api } = usePage();
  const { act, isBusy, message, isGood } = useAct();
  const [value, set] = useState<Record<string, Record<string, string>>>(
    Object.fromEntries(mappings.mappings.map((each) => [each.key, each.value])),
  );
  const [added, add] = useState<string[]>([]);
  const [name, setName] = useState('');
  const all = [
    ...rows,
    ...added.map((key): Row => ({ key, name: key, fields: rows[0]?.fields ?? ['payment_method'] })),
  ];
  const save = () =>
    act(async () => {
      const chosen = all
        .filter((row) => row.fields.every((field) => value[row.key]?.[field]))
        .map((row) => ({ key: row.key, value: value[row.key] as object }));
      if (chosen.length > 0) await api.put(`/mappings/${kind}`, { mappings: chosen });
      add([]);
      onSaved();
    }, words.saved);
  const label = (row: Row, field: string) =>
    row.fields.length === 1 ? row.name : words[`m_${field}` as keyof PageWords];
  return (
    <Form onSubmit={save} submit={words.save} isBusy={isBusy} kind="plain">
      {all.length === 0 ? <p class="quiet">{words.none}</p> : null}
      {all.map((row) => {
        const picks = row.fields.map((field) => (
          <Pick
            key={field}
            label={label(row, field)}
            value={value[row.key]?.[field] ?? ''}
            choices={[
              ['', words.choose],
              ...(mappings.choices[field] ?? []).map((each): [string, string] => [
                each.code,
                field === 'branch_id' ? each.name : `${each.code} ${each.name}`,
              ]),
            ]}
            onChange={(code) => set({ ...value, [row.key]: { ...value[row.key], [field]: code } })}
          />
        ));
        return row.fields.length === 1 ? (
          <div key={row.key}>{picks}</div>
        ) : (
          <fieldset key={row.key}>
            <legend>{row.name}</legend>
            <div class="columns">{picks}</div>
          </fieldset>
        );
      })}
      {canAdd ? (
        <div class="row">
          <Text label={words.mapMode} value={name} onInput={setName} required={false} />
          <button
            type="button"
            class="button link"
            disabled={!name.trim()}
            onClick={() => {
              add([...added, name.trim()]);
              setName('');
            }}
          >
            {words.create}
          </button>
        </div>
      ) : null}
      <Message text={message} isGood={isGood} />
    </Form>
  );
}
