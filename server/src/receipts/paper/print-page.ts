import { createHash } from 'node:crypto';
import { fileNameOf, nameOfPaper } from '../receipt/original-print.model.ts';
import type { RedeemedLink } from './make-print.ts';

const words = {
  en: {
    original: 'Original',
    copy: 'Copy',
    print: 'Print',
    download: 'Download as PDF',
    once: 'This page opens once. The print is recorded.',
  },
  fr: {
    original: 'Original',
    copy: 'Copie',
    print: 'Imprimer',
    download: 'Télécharger en PDF',
    once: "Cette page s'ouvre une seule fois. L'impression est enregistrée.",
  },
  ar: {
    original: 'الأصل',
    copy: 'نسخة',
    print: 'طباعة',
    download: 'تنزيل PDF',
    once: 'تُفتح هذه الصفحة مرة واحدة. سُجِّلت الطباعة.',
  },
};

/**
 * Asked for once the page stands; where a sandbox forbids printing, the call does nothing and the
 * buttons stay.
 */
const script = `const print=()=>window.print();document.getElementById('print').addEventListener('click',print);addEventListener('load',()=>setTimeout(print,200));`;

/**
 * What the page may do: run that script, show pictures it brings along, save the file it holds. It
 * asks nobody for anything.
 */
export const printPagePolicy = [
  "default-src 'none'",
  `script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  "style-src 'unsafe-inline'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const style = `
  :root{color-scheme:light;font:15px/1.4 system-ui,sans-serif}
  body{margin:0;background:#e9ebef;color:#1f2329}
  header{position:sticky;top:0;display:flex;gap:.75rem;align-items:center;flex-wrap:wrap;padding:.7rem 1rem;background:#fff;border-bottom:1px solid #c9ced6}
  header strong{font-size:1.05rem}header span{color:#5b6270;margin-inline-end:auto}
  header button,header a{font:inherit;padding:.4rem .9rem;border-radius:6px;border:1px solid #1f5fbf;background:#fff;color:#1f5fbf;text-decoration:none;cursor:pointer}
  header button{background:#1f5fbf;color:#fff}:focus-visible{outline:3px solid #f1b24a;outline-offset:2px}
  svg.page{display:block;background:#fff;margin:1rem auto;max-width:calc(100% - 2rem);height:auto;box-shadow:0 1px 4px #0003}
  .seen-not{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:pre-wrap}
  @media print{header,.seen-not{display:none}body{background:#fff}svg.page{margin:0;max-width:none;box-shadow:none;break-after:page}svg.page:last-of-type{break-after:auto}}`;

/**
 * A receipt as a page that prints itself, on the paper it is for; where the browser will not, its
 * two buttons say what they give.
 */
export function printPage(
  {
    print,
    documentNumber,
    forBrowser,
  }: RedeemedLink & { forBrowser: NonNullable<RedeemedLink['forBrowser']> },
  language: string,
): string {
  const said = words[language as keyof typeof words] ?? words.en;
  const what = `${print.number === 0 ? said.original : `${said.copy} ${print.number}`} · ${nameOfPaper[print.paper]}`;
  const sizes = forBrowser.pages
    .map(
      ({ width, height }, i) =>
        `@page p${i}{size:${width}pt ${height}pt;margin:0}.p${i}{page:p${i}}`,
    )
    .join('');
  const pages = forBrowser.pages.map(
    ({ width, height, svg }, i) =>
      `<svg class="page p${i}" aria-hidden="true" width="${width}pt" height="${height}pt" viewBox="0 0 ${width} ${height}">${svg}</svg>`,
  );
  const file = `data:application/pdf;base64,${Buffer.from(forBrowser.pdf).toString('base64')}`;
  return `<!doctype html>
<html lang="${said === words.en ? 'en' : language}" dir="${said === words.ar ? 'rtl' : 'ltr'}">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(fileNameOf(documentNumber, print, '').slice(0, -1))}</title>
<style>@page{size:${forBrowser.pages[0]?.width}pt ${forBrowser.pages[0]?.height}pt;margin:0}${sizes}${style}</style>
<header><strong><bdi>${escaped(documentNumber)}</bdi> · ${what}</strong><span>${said.once}</span>
<button id="print" type="button">${said.print}</button><a download="${escaped(fileNameOf(documentNumber, print))}" href="${file}">${said.download}</a></header>
<main><p class="seen-not" dir="auto">${escaped(forBrowser.texts.join('\n'))}</p>
<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs>${forBrowser.glyphs}</defs></svg>
${pages.join('\n')}</main>
<script>${script}</script></html>`;
}

const signs: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => signs[sign] as string);
