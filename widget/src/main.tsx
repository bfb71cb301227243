import { render } from 'preact';
import './ui/panel.css';
import { Api } from './api.ts';
import { connectZohoBooks, isFramedByBooks } from './host/zoho-books.ts';
import type { Host } from './host/host.ts';
import { type Words, wordsOf } from './i18n/words.ts';
import { FrameContext } from './panel/frame.ts';
import { Panel } from './panel/panel.tsx';
import { Section, Waiting } from './ui/parts.tsx';

declare global {
  interface Window {
    /**
     * Written into `settings.js` by the build: where our server is, and hosts besides Zoho's own.
     */
    muhuri: { server: string; hosts: string[] };
  }
}

const language = navigator.language || 'en';
const words = wordsOf(language);
const root = document.getElementById('muhuri') as HTMLElement;
document.documentElement.lang = language.startsWith('fr') ? 'fr' : 'en';

const Shell = ({ children }: { children: preact.ComponentChildren }) => (
  <>
    <header>
      <img src="./img/logo.svg" alt="" />
      <h1>Muhuri</h1>
    </header>
    <main>{children}</main>
  </>
);

const outside = (w: Words) => (
  <Shell>
    <Section title={w.outside}>
      <p>{w.outsideNext}</p>
    </Section>
  </Shell>
);

async function start(connected: Promise<Host>): Promise<void> {
  render(
    <Shell>
      <Waiting text={words.connecting} />
    </Shell>,
    root,
  );
  try {
    const host = await connected;
    const organizationId = await host.organizationId();
    const api = new Api(window.muhuri.server, language, organizationId);
    render(
      <FrameContext.Provider value={{ words, api, host, language }}>
        <Shell>
          <Panel organizationId={organizationId} />
        </Shell>
      </FrameContext.Provider>,
      root,
    );
  } catch {
    render(outside(words), root);
  }
}

// Begun at once, while the page loads: see connectZohoBooks.
if (isFramedByBooks(window.muhuri.hosts)) void start(connectZohoBooks());
else render(outside(words), root);
