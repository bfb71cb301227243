import { useEffect, useState } from 'preact/hooks';
import type { ChosenInvoice } from '../host/host.ts';
import { ApiProblem } from '../request.ts';
import type { Views } from './api.ts';
import { ConfirmOld } from './confirm-old.tsx';
import { Elsewhere } from './elsewhere.tsx';
import { moment, money, told, useAct, useLoad, usePage, usePages } from './page.ts';
import { Card, Message, More, Pick, Shown, Table, Tag, Text } from './parts.tsx';
import { filled, type PageWords } from './words.ts';

type Row = Views['documents']['documents'][number];
/** `isOld`: nothing but its age kept it from being sealed. */
type Outcome = { is: 'running' } | { is: 'done'; text: string; isGood: boolean; isOld?: boolean };

const tones = {
  to_seal: 'wait',
  waiting: 'wait',
  in_doubt: 'bad',
  signed_twice: 'bad',
  refused: 'bad',
  drifted: 'bad',
  sealed: 'good',
  exempt: undefined,
  not_due: undefined,
  before_production: 'wait',
  sealed_elsewhere: undefined,
  rehearsed: 'wait',
} as const;
const keyOf = (row: Row) => `${row.module}/${row.document_id}`;
const every = [
  'to_seal',
  'waiting',
  'in_doubt',
  'signed_twice',
  'refused',
  'drifted',
  'sealed',
  'exempt',
  'not_due',
  'before_production',
  'sealed_elsewhere',
  'rehearsed',
] as const;
/** So many at once: the device signs one after the other anyway. */
const atOnce = 2;

/**
 * The bookkeeper's day: what is not settled between Zoho and the authority, and what to do about
 * each.
 */
export function DocumentsPage({
  chosen: given,
}: {
  chosen: { invoices: ChosenInvoice[] | null } | null;
}) {
  const { words, api, language } = usePage();
  const [filter, setFilter] = useState({ month: '', standing: '', branch_id: '', search: '' });
  // What was chosen in Zoho's own list, as long as nobody asks for the rest.
  const [only, setOnly] = useState(given?.invoices ?? null);
  const [lookedAt, setLookedAt] = useState<string | null>(null);
  const branches = useLoad(() => api.get<Views['branches']>('/branches'));
  const { act, isBusy, message, isGood } = useAct();
  // Said of the list as it was shown, and of no other one.
  const [sureOf, setSureOf] = useState<string | null>(null);
  const [chosen, choose] = useState<Set<string>>(new Set());
  // How often something was changed here: the sums of the month stand below, and are not to say
  // what was true before.
  const [turn, setTurn] = useState(0);
  const reload = () => {
    first.reload();
    setTurn((now) => now + 1);
  };
  const [outcomes, setOutcomes] = useState<Record<string, Outcome>>({});
  const query = Object.entries(filter)
    .filter(([, value]) => value)
    .map(([key, value]) => `&${key}=${encodeURIComponent(value)}`)
    .join('')
    .concat(
      only ? `&document_ids=${only.map(({ id }) => id).join(',')}&standing=${every.join(',')}` : '',
    );
  const isSure = sureOf === query;
  const {
    first,
    rows: known,
    more,
  } = usePages(
    async (cursor) => {
      const page = await api.get<Views['documents']>(
        `/documents?limit=50${query}${cursor ? `&cursor=${cursor}` : ''}`,
      );
      setLookedAt(page.looked_at);
      return { rows: page.documents, next: page.next_cursor };
    },
    [query],
  );
  // Chosen a moment ago and not looked at yet: sealed all the same, since the server reads each
  // document again before it seals.
  const unknown =
    only && first.data
      ? only
          .filter(
            ({ id }) => !known.some((row) => row.module === 'invoices' && row.document_id === id),
          )
          .map((each) => unseen(each, outcomes))
      : [];
  const rows = [...unknown, ...known];
  useEffect(() => {
    if (only && first.data) choose(new Set(rows.filter(canSeal).map(keyOf)));
  }, [first.data !== null]);
  // Documents from before are never taken along: only by themselves, and by whoever says that no
  // other system sealed them.
  const canSeal = (row: Row) =>
    row.standing === 'to_seal' ||
    row.standing === 'refused' ||
    (row.standing === 'before_production' && filter.standing === 'before_production' && isSure);
  const sealable = rows.filter(canSeal);
  const isChosen = (row: Row) => chosen.has(keyOf(row));
  const picked = sealable.filter(isChosen);
  const sealed = rows.filter((row) => row.receipt_label !== null);
  const pickedSealed = sealed.filter(isChosen);
  // Whether another system sealed them is said by whoever may settle a doubt, and of those from
  // before only.
  const maySettle = api.session?.business?.permissions.includes('settle') ?? false;
  const isFromBefore = (row: Row) =>
    maySettle && (row.may_be_elsewhere || row.standing === 'sealed_elsewhere');
  const fromBefore =
    filter.standing === 'before_production' || filter.standing === 'sealed_elsewhere'
      ? rows.filter(isFromBefore)
      : [];
  const toggle = (row: Row) => {
    const next = new Set(chosen);
    if (!next.delete(keyOf(row))) next.add(keyOf(row));
    choose(next);
  };
  const seal = (all: Row[], confirmed: string[] = []) =>
    act(async () => {
      const left = [...all];
      const set = (row: Row, is: Outcome) => setOutcomes((now) => ({ ...now, [keyOf(row)]: is }));
      for (const row of all) set(row, { is: 'running' });
      const worker = async () => {
        for (let row = left.shift(); row; row = left.shift()) {
          const one = row;
          await api
            .post<{ state: string; problem: { title: string } | null }>('/receipts', {
              module: one.module,
              document_id: one.document_id,
              ...confirming(
                one.standing === 'before_production'
                  ? [...confirmed, 'before_production']
                  : confirmed,
              ),
            })
            .then(
              (receipt) =>
                set(one, {
                  is: 'done',
                  isGood: receipt.state === 'signed',
                  text:
                    receipt.state === 'signed'
                      ? words.s_sealed
                      : (receipt.problem?.title ?? words.s_waiting),
                }),
              (error: unknown) => {
                // One that fails never stops the others.
                if (error instanceof ApiProblem && error.problem.code === 'not_signed_in')
                  throw error;
                set(one, {
                  is: 'done',
                  isGood: false,
                  text: told(error, words),
                  isOld: isOnlyOld(error),
                });
              },
            );
        }
      };
      await Promise.all(Array.from({ length: atOnce }, worker));
      choose(new Set());
      setSureOf(null);
      reload();
    });
  const failed = rows.filter((row) => {
    const outcome = outcomes[keyOf(row)];
    return canSeal(row) && outcome?.is === 'done' && !outcome.isGood;
  });
  const mayConfirm = api.session?.business?.permissions.includes('confirm') ?? false;
  const old = failed.filter(
    (row) => mayConfirm && (outcomes[keyOf(row)] as { isOld?: boolean }).isOld,
  );
  const running = Object.values(outcomes).filter((each) => each.is === 'running').length;
  const [paper, setPaper] = useState('a4');
  const print = (original: boolean) =>
    act(async () => {
      const blob = await api.file('POST', '/receipts/prints', {
        receipt_ids: pickedSealed.map((row) => row.receipt_id),
        paper,
        original,
      });
      save(
        blob,
        `receipts ${paper.toUpperCase().replace('MM', 'mm')}${original ? '' : ' COPY'}.pdf`,
      );
    });
  const mail = () =>
    act(async () => {
      for (const row of pickedSealed.filter((each) => each.module === 'invoices'))
        await api.post(`/receipts/${row.receipt_id}/mail`);
      choose(new Set());
    }, words.mailAsked);
  const download = () =>
    act(async () => {
      save(await api.file('GET', `/documents.csv?${query.slice(1)}`), 'documents.csv');
    });
  return (
    <>
      <Card
        title={only ? words.chosenInZoho : words.toSeal}
        actions={
          <button
            type="button"
            class="button plain"
            disabled={isBusy}
            onClick={() => void download()}
          >
            {words.exportCsv}
          </button>
        }
      >
        <Message text={message} isGood={isGood} />
        {given && given.invoices === null ? <p class="notice wait">{words.chosenNone}</p> : null}
        {only ? (
          <p>
            <button type="button" class="button link" onClick={() => setOnly(null)}>
              {words.showAll}
            </button>
          </p>
        ) : (
          <div class="row">
            <MonthField value={filter.month} onInput={(month) => setFilter({ ...filter, month })} />
            <Pick
              label={words.standing}
              value={filter.standing}
              choices={[
                ['', words.standingOpen],
                ...every.map((each): [string, string] => [each, words[`s_${each}`]]),
              ]}
              onChange={(standing) => setFilter({ ...filter, standing })}
            />
            {branches.data && branches.data.branches.length > 1 ? (
              <Pick
                label={words.branch}
                value={filter.branch_id}
                choices={[
                  ['', words.anyBranch],
                  ...branches.data.branches.map((each): [string, string] => [each.id, each.name]),
                ]}
                onChange={(branch_id) => setFilter({ ...filter, branch_id })}
              />
            ) : null}
            <Text
              label={words.search}
              value={filter.search}
              onInput={(search) => setFilter({ ...filter, search })}
              type="search"
              required={false}
            />
          </div>
        )}
        {filter.standing === 'before_production' ? (
          <label class="check">
            <input
              type="checkbox"
              checked={isSure}
              onChange={(event) => setSureOf(event.currentTarget.checked ? query : null)}
            />
            <span>{words.beforeSure}</span>
          </label>
        ) : null}
        <div class="row">
          <button
            type="button"
            class="button"
            disabled={isBusy || picked.length === 0}
            onClick={() => void seal(picked)}
          >
            {filled(words.sealChosen, { n: picked.length })}
          </button>
          <button
            type="button"
            class="button plain"
            disabled={isBusy || sealable.length + sealed.length + fromBefore.length === 0}
            onClick={() => choose(new Set([...sealable, ...sealed, ...fromBefore].map(keyOf)))}
          >
            {words.chooseAll}
          </button>
          {sealed.length > 0 ? (
            <>
              <Pick
                label={words.paper}
                value={paper}
                choices={[
                  ['a4', 'A4'],
                  ['a5', 'A5'],
                  ['80mm', '80 mm'],
                  ['58mm', '58 mm'],
                ]}
                onChange={setPaper}
              />
              {[true, false].map((original) => (
                <button
                  key={String(original)}
                  type="button"
                  class="button plain"
                  disabled={isBusy || pickedSealed.length === 0 || pickedSealed.length > 50}
                  onClick={() => void print(original)}
                >
                  {filled(original ? words.printOriginals : words.printCopies, {
                    n: pickedSealed.length,
                  })}
                </button>
              ))}
              <button
                type="button"
                class="button plain"
                disabled={isBusy || pickedSealed.length === 0}
                onClick={() => void mail()}
              >
                {filled(words.mailChosen, { n: pickedSealed.length })}
              </button>
            </>
          ) : null}
          {failed.length > 0 ? (
            <button
              type="button"
              class="button plain"
              disabled={isBusy}
              onClick={() => void seal(failed)}
            >
              {filled(words.retryFailed, { n: failed.length })}
            </button>
          ) : null}
        </div>
        {maySettle ? (
          <Elsewhere
            chosen={rows.filter((row) => isFromBefore(row) && isChosen(row))}
            onDone={() => {
              choose(new Set());
              reload();
            }}
          />
        ) : null}
        <ConfirmOld rows={old} isBusy={isBusy} onConfirm={() => void seal(old, ['document_old'])} />
        <p class="quiet" role="status">
          {running > 0 ? filled(words.sealing, { n: running }) : ''}
        </p>
        <Shown of={first}>
          {() => (
            <>
              <Table
                columns={[
                  words.choice,
                  words.document,
                  words.customer,
                  words.total,
                  words.standing,
                  words.what,
                ]}
                empty={
                  filter.search || filter.standing || filter.month || filter.branch_id
                    ? words.noneLikeThat
                    : lookedAt
                      ? words.nothingToSeal
                      : words.notLookedYet
                }
                rows={rows.map((row) => ({ key: keyOf(row), cells: cells(row) }))}
              />
              <More onClick={more && (() => void act(more))} isBusy={isBusy} />
            </>
          )}
        </Shown>
      </Card>
      {only ? null : <MonthEnd turn={turn} />}
    </>
  );

  function cells(row: Row) {
    const outcome = outcomes[keyOf(row)];
    const tone = tones[row.standing];
    return [
      canSeal(row) || isFromBefore(row) || row.receipt_label !== null ? (
        <input
          type="checkbox"
          aria-label={filled(words.chooseOne, { name: row.document_number })}
          checked={chosen.has(keyOf(row))}
          disabled={isBusy}
          onChange={() => toggle(row)}
        />
      ) : null,
      <>
        <bdi>{row.document_number}</bdi> <time class="quiet">{row.document_date}</time>
      </>,
      <bdi>{row.customer_name}</bdi>,
      row.total ? (
        <bdi class="money">
          {row.currency} {money(row.total, language)}
        </bdi>
      ) : null,
      <Tag {...(tone ? { tone } : {})}>{words[`s_${row.standing}`]}</Tag>,
      outcome?.is === 'running' ? (
        <span role="status">{words.loading}</span>
      ) : outcome && !outcome.isGood ? (
        <strong>{outcome.text}</strong>
      ) : row.sealed_elsewhere ? (
        filled(words.elsewhereSaid, {
          by: row.sealed_elsewhere.by,
          at: moment(row.sealed_elsewhere.at, language),
          reason: row.sealed_elsewhere.reason,
        })
      ) : row.problem ? (
        <>
          {row.problem.title} <span class="quiet">{row.problem.detail}</span>{' '}
          <Tag>{words[`w_${row.who}` as keyof PageWords]}</Tag>
        </>
      ) : (
        (row.receipt_label ?? outcome?.text ?? (row.document_date ? '' : words.notSeenYet))
      ),
    ];
  }
}

const confirming = (codes: string[]) => (codes.length > 0 ? { confirm: codes } : {});

/** Whether a document's age is all that stands in the way of sealing it. */
function isOnlyOld(error: unknown): boolean {
  if (!(error instanceof ApiProblem)) return false;
  const findings = (error.problem.findings as { code: string }[] | undefined) ?? [error.problem];
  return findings.every((each) => each.code === 'document_old');
}

/**
 * A row of a document that Muhuri has not looked at: only its id and number are known, and those
 * from the page around us.
 */
const unseen = ({ id, number }: ChosenInvoice, outcomes: Record<string, Outcome>): Row => {
  const outcome = outcomes[`invoices/${id}`];
  return {
    module: 'invoices',
    document_id: id,
    document_number: number || id,
    document_date: '',
    status: '',
    customer_name: '',
    currency: '',
    total: '',
    location_id: null,
    standing: outcome?.is === 'done' && outcome.isGood ? 'sealed' : 'to_seal',
    problem: null,
    who: 'person',
    receipt_id: null,
    receipt_label: null,
    sealed_elsewhere: null,
    may_be_elsewhere: false,
  };
};

function save(blob: Blob, name: string): void {
  const link = Object.assign(document.createElement('a'), {
    href: URL.createObjectURL(blob),
    download: name,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function MonthField({ value, onInput }: { value: string; onInput(value: string): void }) {
  const { words, language } = usePage();
  const now = new Date();
  const months = Array.from(
    { length: 13 },
    (_, back) => new Date(Date.UTC(now.getFullYear(), now.getMonth() - back, 1)),
  );
  const name = new Intl.DateTimeFormat(language, {
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
  return (
    <Pick
      label={words.month}
      value={value}
      choices={[
        ['', words.anyMonth],
        ...months.map((each): [string, string] => [
          each.toISOString().slice(0, 7),
          name.format(each),
        ]),
      ]}
      onChange={onInput}
    />
  );
}

/** Zoho's totals against the seals, and the line that says whether anything is missing. */
function MonthEnd({ turn }: { turn: number }) {
  const { words, api, language } = usePage();
  const [month, setMonth] = useState(() => new Date().toISOString().slice(0, 7));
  const sums = useLoad(
    () => api.get<Views['month']>(`/documents/month?month=${month}`),
    [month, turn],
  );
  return (
    <Card title={words.monthEnd}>
      <MonthField value={month} onInput={(to) => setMonth(to || month)} />
      <Shown of={sums}>
        {(is) => (
          <>
            {is.signed_twice > 0 ? (
              <p class="notice bad" role="alert">
                {filled(words.signedTwiceSome, { n: is.signed_twice })}
              </p>
            ) : null}
            <p class={`notice ${is.complete ? 'good' : 'wait'}`} role="status">
              {is.complete
                ? is.sealed_elsewhere > 0
                  ? filled(words.nothingMissingHere, { n: is.sealed_elsewhere })
                  : words.nothingMissing
                : is.missing + is.drifted > 0
                  ? filled(words.missingSome, { n: is.missing, changed: is.drifted })
                  : is.unsure > 0
                    ? filled(words.missingUnsure, { n: is.unsure })
                    : words.missingUnknown}
            </p>
            <Table
              columns={[words.document, words.standing, words.count, words.total]}
              empty={words.none}
              rows={is.sums.map((each) => ({
                key: `${each.module}/${each.currency}/${each.standing}`,
                cells: [
                  each.module === 'invoices' ? words.invoices : words.creditNotes,
                  words[`s_${each.standing}`],
                  String(each.count),
                  <bdi class="money">
                    {each.currency} {money(each.total, language)}
                  </bdi>,
                ],
              }))}
            />
          </>
        )}
      </Shown>
    </Card>
  );
}
