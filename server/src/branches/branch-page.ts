/** The one plain page of ours for branch actions, until the settings page exists. Signs in with a bearer token held in memory only. */
const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Muhuri: branches</title><link rel="stylesheet" href="/branches.css">
<main><h1>Branches and devices</h1><div id="notice" role="status" aria-live="polite"></div>
<form id="sign-in"><label>Username <input name="username" autocomplete="username" required></label><label>Password <input name="password" type="password" autocomplete="current-password" required></label><button>Sign in</button></form>
<div id="list"></div></main><script type="module" src="/branches.js"></script></html>`;

const css = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0;background:light-dark(#f6f7f9,#16181c);color:light-dark(#1f2329,#e6e8eb)}main{max-width:46rem;margin:2rem auto;padding-inline:1rem}h1{font-size:1.4rem}form,article{background:light-dark(#fff,#1f2329);border:1px solid light-dark(#d9dde3,#3a3f47);border-radius:10px;padding:1rem 1.2rem;margin-block:1rem}label{display:block;margin-block:.6rem}input{display:block;inline-size:100%;box-sizing:border-box;font:inherit;padding:.45rem .6rem;border:1px solid light-dark(#9aa2af,#5b6270);border-radius:6px;background:transparent;color:inherit}button{font:inherit;padding:.45rem .9rem;border-radius:6px;border:1px solid #2f6fd6;background:#2160c4;color:#fff;cursor:pointer;margin-inline-end:.5rem;margin-block-start:.4rem}button.quiet{background:transparent;color:light-dark(#2160c4,#8db4f5)}:focus-visible{outline:3px solid #408dfb;outline-offset:2px}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.5rem 0}dt{color:light-dark(#5b6270,#a0a7b3)}dd{margin:0;overflow-wrap:anywhere}.problem{border-inline-start:4px solid #b3261e;padding-inline-start:.8rem}#notice:not(:empty){padding:.6rem .9rem;border-radius:8px;background:light-dark(#eef2fb,#2a3140)}`;

const script = `let token='';const $=(id)=>document.getElementById(id);const say=(text)=>{$('notice').textContent=text};
const call=async(method,path,body)=>{const r=await fetch('/api/v1'+path,{method,headers:{...(token?{authorization:'Bearer '+token}:{}),...(body?{'content-type':'application/json'}:{})},body:body?JSON.stringify(body):undefined});const j=await r.json();if(!r.ok)throw new Error(j.title+' '+j.detail+(j.field?' ('+j.field+(j.reason?': '+j.reason:'')+')':'')+(j.device_text?' Device: '+j.device_code+' '+j.device_text:''));return j};
const run=async(work)=>{say('Working …');try{await work();say('Done.')}catch(e){say(e.message)}};
$('sign-in').addEventListener('submit',(e)=>{e.preventDefault();run(async()=>{const f=new FormData(e.target);const s=await call('POST','/auth/login',{username:f.get('username'),password:f.get('password')});token=s.token;e.target.hidden=true;await show()})});
const el=(tag,text,props={})=>Object.assign(document.createElement(tag),{textContent:text},props);
const show=async()=>{const [{branches},{alerts}]=await Promise.all([call('GET','/branches'),call('GET','/alerts')]);const list=$('list');list.replaceChildren();
for(const x of alerts){const p=el('article','',{className:'problem'});p.append(el('strong',x.problem.title),el('p',x.problem.detail));const bt=el('button','Seen to',{type:'button',className:'quiet'});bt.addEventListener('click',()=>run(async()=>{await call('POST','/alerts/'+x.id+'/close');await show()}));p.append(bt);list.append(p)}
for(const b of branches){const a=el('article','');a.append(el('h2',b.branch_code+' '+b.name));const d=b.device;if(!d){a.append(el('p','No device.'));list.append(a);continue}
const dl=el('dl','');for(const [k,v] of Object.entries({State:d.state,Environment:d.environment==='sandbox'?'sandbox (TEST: not fiscal)':'production',Address:d.address,Serial:d.serial,'SDC id':d.sdc_id,MRC:d.mrc_number,'Next invoice number':d.next_invoice_number,'Last contact':d.last_contact_at,Waiting:d.queued,'In doubt':d.in_doubt})){if(v===null)continue;dl.append(el('dt',k),el('dd',String(v)))}a.append(dl);
if(d.problem){const p=el('div','',{className:'problem'});p.append(el('strong',d.problem.title),el('p',d.problem.detail));a.append(p)}
const act=(name,path,body,quiet)=>{const bt=el('button',name,{type:'button',className:quiet?'quiet':''});bt.addEventListener('click',()=>run(async()=>{await call('POST','/branches/'+b.id+path,body&&body());await show()}));return bt};
const field=(form,label,name)=>{const l=el('label',label+' ');l.append(Object.assign(document.createElement('input'),{name,required:true}));form.append(l)};
const formAct=(title,path,fields)=>{const f=el('form','');f.append(el('h3',title));for(const [label,name] of fields)field(f,label,name);f.append(el('button',title));f.addEventListener('submit',(e)=>{e.preventDefault();run(async()=>{await call('POST','/branches/'+b.id+path,Object.fromEntries(new FormData(f)));await show()})});return f};
if(d.state==='new'){a.append(act('Initialise','/initialise'));a.append(formAct('Adopt','/adopt',[['SDC id','sdc_id'],['MRC (11 characters)','mrc_number'],['Last invoice number','last_invoice_number']]))}
if(d.state==='active')a.append(act('Pause','/pause',null,true));
if(d.state==='paused'){if(d.problem&&d.problem.code==='number_collision')a.append(formAct('Resume','/resume',[['Last invoice number at the device','last_invoice_number'],['Evidence','evidence']]));else a.append(act('Resume','/resume'))}
list.append(a)}};`;

const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'";

export const branchPage: Record<string, { body: string; type: string; policy: string }> = {
  '/branches': { body: html, type: 'text/html; charset=utf-8', policy },
  '/branches.css': { body: css, type: 'text/css; charset=utf-8', policy },
  '/branches.js': { body: script, type: 'text/javascript; charset=utf-8', policy },
};
