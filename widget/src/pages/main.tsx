import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import '../ui/panel.css';
import './pages.css';
import { AccountPage } from './account.tsx';
import { ActivityPage, UsagePage } from './activity.tsx';
import { PageApi, type Session } from './api.ts';
import { BranchesPage } from './branches.tsx';
import { BrandingPage, BusinessPage } from './business.tsx';
import { AttemptsPage, BusinessDetail, BusinessesPage } from './console.tsx';
import { MappingsPage } from './mappings.tsx';
import { Overview } from './overview.tsx';
import { PageContext, usePage } from './page.ts';
import { KeysPage, PeoplePage } from './people.tsx';
import { SetupPage } from './setup.tsx';
import { Accept, Factor, FirstOperator, Forgot, Reset, SignIn } from './sign-in.tsx';
import { DocumentsPage } from './documents.tsx';
import { ConsentPage, OrganizationsPage, ZohoPage } from './zoho.tsx';
import { type Language, languageOf, names, type PageWords, wordsOf } from './words.ts';

type Section = { path: string; word: keyof PageWords; needs: string };

/** What stands in the menu, and the permission that opens it; the server asks again at every call. */
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

function Pages() {
  const [language, setLanguage] = useState<Language>(languageOf(new URLSearchParams(location.search).get('language') ?? navigator.language));
  const [api] = useState(() => new PageApi(window.muhuri?.server ?? '', language));
  const [session, setSession] = useState<Session | null>(api.session);
  const [isOver, setOver] = useState(false);
  const [factor, setFactor] = useState<{ kind: 'second_factor_setup' | 'second_factor_needed'; done(passed: boolean): void } | null>(null);
  const words = wordsOf(language);
  const route = useHash();
  useEffect(() => {
    api.language = language;
    document.documentElement.lang = language;
    document.documentElement.dir = language === 'ar' ? 'rtl' : 'ltr';
    document.title = 'Muhuri';
  }, [language]);
  const begin = (next: Session) => {
    api.keepSession(next);
    setOver(false);
    setSession(next);
    if (/^(?:accept|reset|first-operator|forgot)$/.test(route[0] ?? '')) location.hash = next.is_operator || !next.business ? '#/' : '#/setup';
  };
  const signedOut = (over: boolean) => {
    api.keepSession(null);
    setOver(over);
    setSession(null);
  };
  const frame = {
    words,
    language,
    api,
    setLanguage,
    signedOut,
    askFactor: (kind: 'second_factor_setup' | 'second_factor_needed') =>
      new Promise<boolean>((resolve) =>
        setFactor({
          kind,
          done: (passed) => {
            setFactor(null);
            resolve(passed);
          },
        }),
      ),
  };
  const [first = '', second = ''] = route;
  const body = () => {
    const alone = (part: preact.ComponentChildren) => <main class="alone">{part}</main>;
    if (first === 'accept') return alone(<Accept token={second} onDone={begin} />);
    if (first === 'reset') return alone(<Reset token={second} />);
    if (first === 'first-operator') return alone(<FirstOperator token={second} onDone={begin} />);
    if (!session) return alone(first === 'forgot' ? <Forgot /> : <SignIn onDone={begin} isOver={isOver} />);
    return <Signed session={session} first={first} second={second} onSession={begin} />;
  };
  return (
    <PageContext.Provider value={frame}>
      <header class="page-head">
        <img src="./img/logo.svg" alt="" />
        <h1>Muhuri</h1>
        {session ? (
          <span class="who">
            <bdi>{session.business?.business_name ?? ''}</bdi> <bdi class="quiet">{session.person.name}</bdi>
          </span>
        ) : null}
        <select aria-label={words.language} value={language} onChange={(event) => setLanguage(event.currentTarget.value as Language)}>
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
              signedOut(false);
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

type SignedProps = { session: Session; first: string; second: string; onSession(session: Session): void };

function Signed({ session, first, second, onSession }: SignedProps) {
  const isOperator = session.is_operator;
  const { words } = usePage();
  const may = (needs: string) => needs === '' || (session.business?.permissions.includes(needs) ?? false);
  const sections = (isOperator ? ofOperator : ofBusiness).filter((each) => may(each.needs));
  const isConsole = location.pathname.endsWith('/console');
  const here = isOperator && (first === 'business' || first === 'businesses') ? '' : ['consent', 'organizations'].includes(first) ? 'zoho' : first;
  const isKnown = sections.some((each) => each.path === here);
  return (
    <div class="page-body">
      <nav aria-label={words.menu}>
        {sections.map((each) => (
          <a key={each.path} href={`#/${each.path}`} {...(each.path === here ? { 'aria-current': 'page' as const } : {})}>
            {words[each.word]}
          </a>
        ))}
      </nav>
      <main key={`${session.business?.id}/${first}/${second}`}>
        {isConsole && !isOperator ? <p class="notice bad">{words.operatorOnly}</p> : null}
        {isKnown ? isOperator ? operatorPage() : businessPage() : <p class="notice bad">{words.notForYou}</p>}
      </main>
    </div>
  );

  function operatorPage() {
    if (first === 'business') return <BusinessDetail id={second} />;
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
        return <DocumentsPage />;
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

const begin = document.querySelector<HTMLMetaElement>('meta[name=begin]')?.content;
if (begin && location.hash === '') history.replaceState(null, '', begin);

render(<Pages />, document.getElementById('muhuri') as HTMLElement);
