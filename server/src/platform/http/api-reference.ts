/**
 * A small page over the OpenAPI document: every endpoint with its fields, no request to the
 * outside.
 */
export const apiReferencePage = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Muhuri API</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#1f2329}h1{font-size:1.5rem}details{border:1px solid #d9dde3;border-radius:8px;margin:.5rem 0;padding:.5rem .9rem}summary{cursor:pointer;display:flex;gap:.7rem;align-items:baseline;flex-wrap:wrap}b{font:600 12px ui-monospace,monospace;background:#eef2fb;border-radius:4px;padding:.1rem .4rem;min-width:3em;text-align:center}code,pre{font:13px/1.45 ui-monospace,monospace}pre{background:#f6f7f9;border-radius:6px;padding:.7rem;overflow:auto}.s{color:#5b6270}@media(prefers-color-scheme:dark){body{background:#16181c;color:#e6e8eb}details{border-color:#3a3f47}b{background:#2a3140}pre{background:#1f2329}.s{color:#a0a7b3}}</style>
<h1>Muhuri API</h1><p>Fiscal receipts for Zoho Books invoices. The machine-readable description is <a href="/api/v1/openapi.json">openapi.json</a>.</p><main id="paths"></main><script src="/api/browse.js"></script></html>`;

export const apiReferenceScript = `fetch('/api/v1/openapi.json').then(r=>r.json()).then(d=>{const main=document.getElementById('paths');
for(const [path,ops] of Object.entries(d.paths))for(const [method,op] of Object.entries(ops)){const e=document.createElement('details');const s=document.createElement('summary');
const b=document.createElement('b');b.textContent=method.toUpperCase();const c=document.createElement('code');c.textContent='/api/v1'+path;const t=document.createElement('span');t.className='s';t.textContent=op.summary;s.append(b,c,t);e.append(s);
const p=document.createElement('p');p.textContent=op.description||'';e.append(p);
const show=(title,value)=>{if(!value)return;const h=document.createElement('h4');h.textContent=title;const pre=document.createElement('pre');pre.textContent=JSON.stringify(value,null,2);e.append(h,pre)};
if(op.parameters.length)show('Parameters',op.parameters);show('Body',op.requestBody&&op.requestBody.content['application/json'].schema);show('Answer',Object.values(op.responses[200].content)[0].schema);main.append(e)}
const e=document.createElement('details');const s=document.createElement('summary');s.textContent='Schemas';const pre=document.createElement('pre');pre.textContent=JSON.stringify(d.components.schemas,null,2);e.append(s,pre);main.append(e)})`;
