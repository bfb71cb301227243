import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { FactorAsked } from '../api.ts';
import { ApiProblem, isSessionOver, Offline } from '../request.ts';
import type { DocumentRef } from '../host/host.ts';
import { Button, Facts, Section, Waiting } from '../ui/parts.tsx';
import type { PreflightView, ReceiptView } from '../views.ts';
import { type Answers, Correction, Findings, isAnswered, LeftOfSale } from './findings.tsx';
import { useFrame } from './frame.ts';
import { Signed, Unsigned } from './receipt.tsx';
import { SecondFactor } from './second-factor.tsx';
import { SignIn } from './sign-in.tsx';

type Shown =
  | { is: 'loading' }
  | { is: 'none' }
  | { is: 'offline' }
  | { is: 'problem'; title: string; detail: string }
  | { is: 'document'; preflight: PreflightView; receipt: ReceiptView | null }
  | { is: 'sealing'; preflight: PreflightView };

const pollMs = 1_500;

/** Figures inside a sentence, whose order the direction of the words around them must not turn. */
const isolated = (figures: string): string => `\u2068${figures}\u2069`;

/**
 * The panel beside a document: from sign-in over the check to the seal, and back to the truth after
 * being closed.
 */
export function Panel({ organizationId }: { organizationId: string }) {
  const { words, api, host } = useFrame();
  const [isSignedIn, setSignedIn] = useState(api.session !== null);
  const [over, setOver] = useState('');
  const [shown, setShown] = useState<Shown>({ is: 'loading' });
  const [answers, setAnswers] = useState<Answers>({});
  const [message, setMessage] = useState('');
  const [hasActed, setActed] = useState(false);
  const [factorAsked, setFactorAsked] = useState<{
    kind: FactorAsked;
    done(isGiven: boolean): void;
  } | null>(null);
  api.askFactor = (kind) =>
    new Promise<boolean>((resolve) =>
      setFactorAsked({
        kind,
        done: (isGiven) => {
          setFactorAsked(null);
          resolve(isGiven);
        },
      }),
    );
  const open = useRef<DocumentRef | null>(null);
  const business = api.session?.business ?? null;
  const isOther = isSignedIn && business !== null && business.organization_id !== organizationId;

  const failed = useCallback((error: unknown, show: boolean) => {
    if (isSessionOver(error)) {
      api.forget();
      setOver(
        error.problem.code === 'zoho_user_ended'
          ? `${error.problem.title} ${error.problem.detail}`
          : words.sessionOver,
      );
      setSignedIn(false);
    } else if (error instanceof ApiProblem) {
      if (show)
        setShown({ is: 'problem', title: error.problem.title, detail: error.problem.detail });
      else setMessage(`${error.problem.title} ${error.problem.detail}`);
    } else if (error instanceof Offline) {
      if (show) setShown({ is: 'offline' });
      else setMessage(`${words.offline}. ${words.offlineNext}`);
    } else throw error;
  }, []);

  const load = useCallback(async (saleReceiptId?: string) => {
    const document = open.current;
    if (!document) return setShown({ is: 'none' });
    try {
      const preflight = await api.preflight(document.module, document.id, saleReceiptId);
      if (open.current?.id === document.id)
        setShown({ is: 'document', preflight, receipt: preflight.receipt });
    } catch (error) {
      if (open.current?.id === document.id) failed(error, true);
    }
  }, []);

  const look = useCallback(async () => {
    const document = await host.openDocument().catch(() => open.current);
    if (document?.id === open.current?.id && document?.module === open.current?.module)
      return false;
    open.current = document;
    setAnswers({});
    setMessage('');
    setActed(false);
    setShown({ is: 'loading' });
    await load();
    return true;
  }, []);

  useEffect(() => {
    if (!isSignedIn || isOther) return;
    open.current = null;
    let isLooking = false;
    const lookOnce = () => {
      if (isLooking) return;
      isLooking = true;
      void look().finally(() => {
        isLooking = false;
      });
    };
    void host.openDocument().then((document) => {
      open.current = document;
      void load();
    });
    host.onChange(lookOnce);
  }, [isSignedIn, isOther]);

  // What is not over yet is asked about until it is; closing the panel changes nothing on the
  // server.
  const waiting =
    shown.is === 'document' &&
    (shown.receipt?.state === 'queued' || shown.receipt?.state === 'in_doubt')
      ? shown.receipt
      : null;
  useEffect(() => {
    if (!waiting) return;
    const timer = setInterval(async () => {
      try {
        const receipt = await api.receipt(waiting.id);
        if (open.current?.id === receipt.document_id && receipt.updated_at !== waiting.updated_at) {
          setShown((now) => (now.is === 'document' ? { ...now, receipt } : now));
          if (receipt.state === 'signed') host.refresh(receipt.module);
        }
      } catch (error) {
        if (!(error instanceof Offline)) failed(error, false);
      }
    }, pollMs);
    return () => clearInterval(timer);
  }, [waiting?.id, waiting?.updated_at]);

  const run = (work: () => Promise<void>) => {
    setMessage('');
    work().catch((error: unknown) => failed(error, false));
  };

  const seal = async (preflight: PreflightView) => {
    // Asked again at the click: the page may show another document by now, and then nothing is
    // sealed.
    if (await look()) return;
    setActed(true);
    setMessage('');
    setShown({ is: 'sealing', preflight });
    try {
      const given = Object.fromEntries(
        Object.entries(answers).filter(([, value]) => value.length > 0),
      );
      const receipt = await api.seal(preflight.module, preflight.document_id, given);
      if (open.current?.id !== receipt.document_id) return;
      setShown({ is: 'document', preflight: { ...preflight, receipt }, receipt });
      if (receipt.state === 'signed') {
        host.notify('success', `${words.signed}: ${receipt.document_number}`);
        host.refresh(receipt.module);
      }
    } catch (error) {
      if (open.current?.id !== preflight.document_id) return;
      // What was answered here may lead to a further question (a TIN asks for its purchase code):
      // the server's findings are shown.
      const findings =
        error instanceof ApiProblem
          ? (error.problem.findings as PreflightView['findings'] | undefined)
          : undefined;
      if (findings)
        setShown({
          is: 'document',
          preflight: { ...preflight, findings },
          receipt: preflight.receipt,
        });
      else if (isSessionOver(error)) failed(error, false);
      else {
        await load();
        failed(error, false);
      }
    }
  };

  const signOut = () =>
    run(async () => {
      await api.signOut();
      setOver('');
      setSignedIn(false);
    });

  if (!isSignedIn)
    return (
      <SignIn
        organizationId={organizationId}
        over={over}
        onDone={() => {
          setOver('');
          setShown({ is: 'loading' });
          setSignedIn(true);
        }}
      />
    );
  return (
    <>
      {isOther ? (
        <Section title={words.otherOrganization} tone="wait">
          <p>{words.otherOrganizationNext}</p>
          <p class="quiet">
            <bdi>{business?.business_name}</bdi>
          </p>
        </Section>
      ) : (
        <div aria-busy={shown.is === 'loading' || shown.is === 'sealing'}>
          <Body
            shown={shown}
            answers={answers}
            hasActed={hasActed}
            setAnswers={setAnswers}
            load={() => void load()}
            seal={(preflight) => void seal(preflight)}
            run={run}
            setReceipt={(receipt) =>
              setShown((now) => (now.is === 'document' ? { ...now, receipt } : now))
            }
          />
        </div>
      )}
      <p role="alert" class={message ? 'notice bad section' : ''}>
        {message}
      </p>
      {factorAsked ? <SecondFactor kind={factorAsked.kind} onDone={factorAsked.done} /> : null}
      <p class="section quiet">
        <bdi>{api.session?.person.name}</bdi>{' '}
        <Button kind="link" onClick={signOut}>
          {words.signOut}
        </Button>
      </p>
    </>
  );
}

type BodyProps = {
  shown: Shown;
  answers: Answers;
  hasActed: boolean;
  setAnswers(answers: Answers): void;
  load(saleReceiptId?: string): void;
  seal(preflight: PreflightView): void;
  run(work: () => Promise<void>): void;
  setReceipt(receipt: ReceiptView): void;
};

function Body({ shown, answers, hasActed, setAnswers, load, seal, run, setReceipt }: BodyProps) {
  const { words } = useFrame();
  switch (shown.is) {
    case 'loading':
      return <Waiting text={words.loading} />;
    case 'none':
      return (
        <Section title={words.noDocument}>
          <p>{words.noDocumentNext}</p>
        </Section>
      );
    case 'offline':
      return (
        <Section title={words.offline} tone="wait">
          <p>{words.offlineNext}</p>
          <Button onClick={() => load()}>{words.retry}</Button>
        </Section>
      );
    case 'problem':
      return (
        <Section title={shown.title} tone="wait">
          <p>{shown.detail}</p>
          <Button onClick={() => load()}>{words.retry}</Button>
        </Section>
      );
    case 'sealing':
      return (
        <>
          <Summary preflight={shown.preflight} receipt={null} />
          <div role="status">
            <Waiting text={words.sealing} next={words.sealingNext} />
          </div>
        </>
      );
    case 'document': {
      const { preflight, receipt } = shown;
      const mayBegin =
        receipt === null || receipt.state === 'refused' || receipt.state === 'withdrawn';
      const left = preflight.findings.filter((finding) => !isAnswered(finding, answers));
      const isNothing = preflight.findings.some((finding) =>
        ['document_draft', 'document_void'].includes(finding.code),
      );
      return (
        <>
          <Summary preflight={preflight} receipt={receipt} />
          <div role="status">
            {receipt?.state === 'signed' ? (
              <Signed
                receipt={receipt}
                preflight={preflight}
                focus={hasActed}
                onChange={setReceipt}
                run={run}
              />
            ) : receipt ? (
              <Unsigned
                receipt={receipt}
                preflight={preflight}
                focus={hasActed}
                onChange={setReceipt}
                run={run}
              />
            ) : null}
          </div>
          {mayBegin && preflight.findings.length > 0 ? (
            <Section title={isNothing ? words.nothing : words.toDo} tone="wait">
              <Findings
                preflight={preflight}
                answers={answers}
                onAnswer={setAnswers}
                onMapped={() => load(chosenSale(answers))}
                onSale={load}
              />
              <LeftOfSale preflight={preflight} />
            </Section>
          ) : null}
          {mayBegin && left.length === 0 ? (
            <Section title={receipt ? words.sealAgain : words.ready}>
              <Correction
                code={receipt?.problem?.code ?? ''}
                answers={answers}
                onAnswer={setAnswers}
              />
              <Button kind="main" onClick={() => seal(preflight)}>
                {receipt
                  ? words.sealAgain
                  : preflight.kind === 'refund'
                    ? words.sealRefund
                    : words.seal}
              </Button>
            </Section>
          ) : null}
        </>
      );
    }
  }
}

const chosenSale = (answers: Answers) =>
  typeof answers.sale_receipt_id === 'string' && answers.sale_receipt_id
    ? answers.sale_receipt_id
    : undefined;

/**
 * Tells whose taxpayer id it is, as the authority says: shown where the device answers, silent
 * where it does not.
 */
function useTaxpayer(taxpayerId: string | null): string | null {
  const { api } = useFrame();
  const [name, setName] = useState<string | null>(null);
  useEffect(() => {
    setName(null);
    if (taxpayerId)
      api.taxpayer(taxpayerId).then(
        (found) => setName(found.name),
        () => {},
      );
  }, [taxpayerId]);
  return name;
}

/** Number, buyer and total as our server read them, not as the page says. */
function Summary({
  preflight,
  receipt,
}: {
  preflight: PreflightView;
  receipt: ReceiptView | null;
}) {
  const { words, language } = useFrame();
  const isMalformed = preflight.findings.some(({ code }) => code === 'buyer_tin_malformed');
  const registered = useTaxpayer(
    receipt?.state === 'signed' || isMalformed ? null : preflight.asks.buyer_tin,
  );
  const isTest = (receipt?.environment ?? preflight.environment) === 'sandbox';
  const places = preflight.total.includes('.') ? 2 : 0;
  const money = (amount: string, least: number) =>
    new Intl.NumberFormat(language, {
      minimumFractionDigits: least,
      maximumFractionDigits: Math.max(least, 3),
    }).format(amount as unknown as number);
  const isSealed = receipt?.state === 'signed';
  const foreign = isSealed ? receipt.foreign : preflight.foreign;
  const base = isSealed ? receipt.totals.total : preflight.base_total;
  const isFiled = receipt !== null && receipt.state !== 'refused' && receipt.state !== 'withdrawn';
  return (
    <>
      {isTest ? <p class="test">{words.test}</p> : null}
      <div class="summary">
        <span class="amount">
          <bdi>
            {preflight.currency} {money(preflight.total, places)}
          </bdi>
        </span>
        {foreign && base ? (
          <p class="converted">
            <span>
              <bdi>
                {preflight.base_currency} {money(base, 2)}
              </bdi>
            </span>
            <span class="quiet">
              {words[`rate_${foreign.rate_source}`]
                .replace(
                  '{rate}',
                  isolated(
                    `1 ${foreign.currency} = ${foreign.exchange_rate} ${preflight.base_currency}`,
                  ),
                )
                .replace('{date}', isolated(foreign.rate_date))}
            </span>
          </p>
        ) : null}
        {(isFiled ? receipt.remarks : preflight.remarks).map((remark) => (
          <p class="quiet" key={remark.code}>
            {remark.title} {remark.detail}
          </p>
        ))}
        <Facts
          copy={words.copy}
          copied={words.copied}
          rows={[
            { name: words.document, value: preflight.document_number },
            { name: words.buyer, value: preflight.buyer_name },
            {
              name: words.buyerTin,
              value:
                preflight.asks.buyer_tin &&
                [preflight.asks.buyer_tin, registered].filter(Boolean).join(' · '),
            },
            { name: words.date, value: preflight.document_date },
          ]}
        />
      </div>
    </>
  );
}
