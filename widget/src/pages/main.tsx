import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import '../ui/panel.css';
import './pages.css';
import { AccountPage } from './account.tsx';
import { ActivityPage, UsagePage } from './activity.tsx';
import { PageApi, type Session } from './api.ts';
import { BranchesPage } from './branches.tsx';
import type { ChosenInvoice, Host } from '../host/host.ts';
import { connectZohoBooks, isFramedByBooks } from '../host/zoho-books.ts';
import { Card } from './parts.tsx';
import { ZohoApproval } from './zoho-approval.tsx';
import { BrandingPage, BusinessPage } from './business.tsx';
import { AttemptsPage, BusinessDetail, BusinessesPage } from './console.tsx';
import { MappingsPage } from './mappings.tsx';
import { AcceptOperator, OperatorsPage } from './operators.tsx';
import { Overview } from './overview.tsx';
import { PageContext, usePage } from './page.ts';
import { KeysPage, PeoplePage } from './people.tsx';
import { SetupPage } from './setup.tsx';
import { ConfirmEmail } from './email.tsx';
import { Accept, Factor, FirstOperator, Forgot, Reset, SignIn } from './sign-in.tsx';
import { DocumentsPage } from './documents.tsx';
import { ObjectToWayBack } from './ways-back.tsx';
import { ConsentPage, OrganizationsPage, ZohoPage } from './zoho.tsx';
import { type Language, languageOf, names, type PageWords, wordsOf } from './words.ts';

type Section = { path: string; word: keyof PageWords; needs: string };

/**
 * What stands in the menu, and the permission that opens it; the server asks again at every call.
 */
const ofBusiness: Section[] = [
  { path: '', word: 'overview', needs: 'read' },
  { path: 'documents', word: 'toSeal', needs: 'read' },
  { path: 'setup', word: 'setup', needs: 'manage_business' },
  { path: 'business', word: 'business', needs: 'manage_business' },
  { path: 'branding', word: 'branding', needs: 'manage_business' },
  { path: 'zoho', word: 'zoho', needs: 'manage_business' },
  { path: 'mappings', word: 'mappings', needs: 'manage_business' },
  { path: 'branches', word: 'branches', needs: 'manage_devices' },
  { path: 'people', word: 'people', needs: 'manage_people' },
  { path: 'keys', word: 'keys', needs: 'manage_keys' },
  { path: 'usage', word: 'usage', needs: 'read' },
  { path: 'activity', word: 'activity', needs: 'read_trail' },
  { path: 'account', word: 'account', needs: '' },
];
const ofOperator: Section[] = [
  { path: '', word: 'businesses', needs: '' },
  { path: 'operators', word: 'operators', needs: '' },
  { path: 'attempts', word: 'attempts', needs: '' },
  { path: 'activity', word: 'activity', needs: '' },
  { path: 'account', word: 'account', needs: '' },
];

const useHash = (): string[] => {
  const read = () => location.hash.replace(/^#\/?/, '').split('/');
  const [parts, set] = useState(read);
  useEffect(() => {
    const changed = () => set(read());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return parts;
};

/** Beside Zoho Books: which organization is open there, and what is chosen in its list. */
type Beside = { organizationId: string; chosen: ChosenInvoice[] | null };

function Pages({ beside }: { beside: Beside | null }) {
  const [language, setLanguage] = useState<Language>(
    languageOf(new URLSearchParams(location.search).get('language') ?? navigator.language),
  );
  const [api] = useState(
    () => new PageApi(window.muhuri?.server ?? '', language, beside?.organizationId ?? null),
  );
  const [session, setSession] = useState<Session | null>(api.session);
  const [over, setOver] = useState('');
  const [factor, setFactor] = useState<{
    kind: 'second_factor_setup' | 'second_factor_needed';
    done(passed: boolean): void;
  } | null>(null);
  const asking = useRef<Promise<boolean> | null>(null);
  const words = wordsOf(language);
  const route = useHash();
  // At once, not after drawing: what is drawn asks the server, and its sentences come in the
  // language asked for.
  api.language = language;
  useEffect(() => {
    document.documentElement.lang = language;
    document.documentElement.dir = language === 'ar' ? 'rtl' : 'ltr';
    document.title = 'Muhuri';
  }, [language]);
  const begin = (next: Session) => {
    api.keepSession(next);
    setOver('');
    setSession(next);
    if (/^(?:accept|reset|first-operator|operator|forgot)$/.test(route[0] ?? ''))
      location.hash = next.is_operator || !next.business ? '#/' : '#/setup';
  };
  const signedOut = (why: string) => {
    api.keepSession(null);
    setOver(why);
    setSession(null);
  };
  const frame = {
    words,
    language,
    api,
    setLanguage,
    signedOut,
    // One question for everything that waits for the answer.
    askFactor: (kind: 'second_factor_setup' | 'second_factor_needed') =>
      (asking.current ??= new Promise<boolean>((resolve) => {
        setFactor({
          kind,
          done: (passed) => {
            asking.current = null;
            setFactor(null);
            resolve(passed);
          },
        });
      })),
  };
  const [first = '', second = ''] = route;
  const body = () => {
    const alone = (part: preact.ComponentChildren) => <main class="alone">{part}</main>;
    if (first === 'accept') return alone(<Accept token={second} onDone={begin} />);
    if (first === 'object') return alone(<ObjectToWayBack token={second} />);
    if (first === 'operator') return alone(<AcceptOperator token={second} onDone={begin} />);
    if (first === 'email') return alone(<ConfirmEmail token={second} />);
    if (first === 'reset') return alone(<Reset token={second} />);
    if (first === 'zoho-sign-in') return alone(<ZohoApproval query={second} />);
    if (first === 'first-operator') return alone(<FirstOperator token={second} onDone={begin} />);
    if (!session)
      return alone(
        first === 'forgot' ? (
          <Forgot />
        ) : (
          <SignIn onDone={begin} over={over} organizationId={beside?.organizationId ?? null} />
        ),
      );
    if (beside && session.business?.organization_id !== beside.organizationId)
      return alone(
        <Card title={words.otherOrganization} tone="wait">
          <p>{words.otherOrganizationNext}</p>
        </Card>,
      );
    if (beside)
      return (
        <main class="within-books">
          <DocumentsPage
            chosen={
              first === 'documents' && second === 'chosen' ? { invoices: beside.chosen } : null
            }
          />
        </main>
      );
    return <Signed session={session} first={first} second={second} onSession={begin} />;
  };
  return (
    <PageContext.Provider value={frame}>
      <header class="page-head">
        <img src="./img/logo.svg" alt="" />
        <h1>Muhuri</h1>
        {session ? (
          <span class="who">
            <bdi>{session.business?.business_name ?? ''}</bdi>{' '}
            <bdi class="quiet">{session.person.name}</bdi>
          </span>
        ) : null}
        <select
          aria-label={words.language}
          value={language}
          onChange={(event) => setLanguage(event.currentTarget.value as Language)}
        >
          {Object.entries(names).map(([code, name]) => (
            <option value={code} key={code}>
              {name}
            </option>
          ))}
        </select>
        {session ? (
          <button
            type="button"
            class="button link"
            onClick={() => {
              void api.post('/auth/logout').catch(() => {});
              signedOut('');
            }}
          >
            {words.signOut}
          </button>
        ) : null}
      </header>
      {body()}
      {factor ? <Factor kind={factor.kind} onDone={factor.done} /> : null}
    </PageContext.Provider>
  );
}

type SignedProps = {
  session: Session;
  first: string;
  second: string;
  onSession(session: Session): void;
};

function Signed({ session, first, second, onSession }: SignedProps) {
  const isOperator = session.is_operator;
  const { words } = usePage();
  const may = (needs: string) =>
    needs === '' || (session.business?.permissions.includes(needs) ?? false);
  const sections = (isOperator ? ofOperator : ofBusiness).filter((each) => may(each.needs));
  const isConsole = location.pathname.endsWith('/console');
  const here =
    isOperator && (first === 'business' || first === 'businesses')
      ? ''
      : ['consent', 'organizations'].includes(first)
        ? 'zoho'
        : first;
  const isKnown = sections.some((each) => each.path === here);
  return (
    <div class="page-body">
      <nav aria-label={words.menu}>
        {sections.map((each) => (
          <a
            key={each.path}
            href={`#/${each.path}`}
            {...(each.path === here ? { 'aria-current': 'page' as const } : {})}
          >
            {words[each.word]}
          </a>
        ))}
      </nav>
      <main key={`${session.business?.id}/${first}/${second}`}>
        {isConsole && !isOperator ? <p class="notice bad">{words.operatorOnly}</p> : null}
        {isKnown ? (
          isOperator ? (
            operatorPage()
          ) : (
            businessPage()
          )
        ) : (
          <p class="notice bad">{words.notForYou}</p>
        )}
      </main>
    </div>
  );

  function operatorPage() {
    if (first === 'business') return <BusinessDetail id={second} />;
    if (first === 'operators') return <OperatorsPage />;
    if (first === 'attempts') return <AttemptsPage />;
    if (first === 'activity') return <ActivityPage path="/platform/trail" isOwn={false} />;
    if (first === 'account') return <AccountPage onSession={onSession} />;
    return <BusinessesPage />;
  }

  function businessPage() {
    switch (first) {
      case 'setup':
        return <SetupPage />;
      case 'business':
        return <BusinessPage />;
      case 'branding':
        return <BrandingPage />;
      case 'documents':
        return <DocumentsPage chosen={null} />;
      case 'zoho':
        return <ZohoPage />;
      case 'consent':
        return <ConsentPage query={second} />;
      case 'organizations':
        return <OrganizationsPage id={second} />;
      case 'mappings':
        return <MappingsPage />;
      case 'branches':
        return <BranchesPage />;
      case 'people':
        return <PeoplePage />;
      case 'keys':
        return <KeysPage />;
      case 'usage':
        return <UsagePage />;
      case 'activity':
        return <ActivityPage path="/trail" isOwn />;
      case 'account':
        return <AccountPage onSession={onSession} />;
      default:
        return <Overview />;
    }
  }
}

const meta = (name: string) =>
  document.querySelector<HTMLMetaElement>(`meta[name=${name}]`)?.content;
const begin = meta('begin');
if (begin && location.hash === '') history.replaceState(null, '', begin);

const root = document.getElementById('muhuri') as HTMLElement;
const words = wordsOf(languageOf(navigator.language));

/**
 * Within Zoho Books the page around us says which organization is open; it is shown and
 * preselected, never believed.
 */
async function startBeside(connected: Promise<Host>): Promise<void> {
  render(<p class="section">{words.loading}</p>, root);
  try {
    const host = await connected;
    const isBulk = location.hash.endsWith('/chosen');
    if (isBulk) host.resize(1_000, 640);
    const [organizationId, chosen] = await Promise.all([
      host.organizationId(),
      isBulk ? host.chosenInvoices() : null,
    ]);
    render(<Pages beside={{ organizationId, chosen }} />, root);
  } catch {
    render(outside(), root);
  }
}

const outside = () => (
  <main class="alone">
    <Card title={words.outside}>
      <p>{words.outsideNext}</p>
    </Card>
  </main>
);

if (!meta('beside')) render(<Pages beside={null} />, root);
// Begun at once, while the page loads: see connectZohoBooks.
else if (isFramedByBooks(window.muhuri.hosts)) void startBeside(connectZohoBooks());
else render(outside(), root);
