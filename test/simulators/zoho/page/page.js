// A page that looks and behaves like Zoho Books where a widget is concerned: it frames the packed widget at `invoice.details.sidebar`
// and `creditnote.details.sidebar`, sandboxed, from another origin, and speaks the host's side of the SDK's protocol.
const $ = (id) => document.getElementById(id);
const el = (tag, text = '', props = {}) =>
  Object.assign(document.createElement(tag), { textContent: text, ...props });
let data = await load();
let organizationId =
  new URLSearchParams(location.search).get('organization') ?? data.organizations[0].organization_id;
let frame = null;

async function load() {
  return (await fetch('/data.json')).json();
}
const organization = () =>
  data.organizations.find((each) => each.organization_id === organizationId);
const keys = {
  invoices: ['invoice_id', 'invoice_number', 'invoice', 'Invoices'],
  creditnotes: ['creditnote_id', 'creditnote_number', 'creditnote', 'Credit Notes'],
};
const route = () => {
  const [, module = 'invoices', id = null] = location.hash.split('/');
  return { module: keys[module] ? module : 'invoices', id };
};
const current = () => {
  const { module, id } = route();
  return id ? (organization()[module].find((each) => each[keys[module][0]] === id) ?? null) : null;
};
const money = (amount, code) =>
  `${code} ${Number(amount).toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

function show() {
  const { module } = route();
  for (const link of document.querySelectorAll('.rail a')) {
    if (link.dataset.module === module) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const document_ = current();
  $('view').replaceChildren(...(document_ ? sheet(module, document_) : list(module)));
  // Another page has other widgets: what stood beside a document is not what stands beside the list.
  if (frame && (document_ ? 'widget' : 'list') !== place) closePane();
  else if (frame && document_) send(`ON_${keys[module][2].toUpperCase()}_CHANGE`, {});
  $('open').hidden = !document_ && module !== 'invoices';
}

function list(module) {
  const [idKey, numberKey, , title] = keys[module];
  const table = el('table');
  const head = el('tr');
  head.append(el('th', 'Choose'));
  for (const name of ['Date', 'Number', 'Customer', 'Status']) head.append(el('th', name));
  head.append(el('th', 'Amount', { className: 'n' }));
  table.append(head);
  for (const row of organization()[module]) {
    const tr = el('tr');
    const number = el('td');
    number.append(el('a', row[numberKey], { href: `#/${module}/${row[idKey]}` }));
    const status = el('td');
    status.append(el('span', row.status, { className: `status ${row.status}` }));
    const customer = el('td');
    customer.append(el('bdi', row.customer_name));
    const box = el('input', '', { type: 'checkbox', value: row[idKey], className: 'choose' });
    box.setAttribute('aria-label', `Choose ${row[numberKey]}`);
    const choose = el('td');
    choose.append(box);
    tr.append(
      choose,
      el('td', row.date),
      number,
      customer,
      status,
      el('td', money(row.total, row.currency_code), { className: 'n' }),
    );
    table.append(tr);
  }
  if (module !== 'invoices' || !data.widget) return [el('h1', `All ${title}`), table];
  const bulk = el('button', 'Seal with Muhuri', { type: 'button', id: 'bulk' });
  bulk.addEventListener('click', openBulk);
  return [el('h1', `All ${title}`), bulk, table];
}

function sheet(module, d) {
  const [, numberKey] = keys[module];
  const box = el('article', '', { className: 'sheet' });
  const head = el('div', '', { className: 'sheet-head' });
  const seller = el('div');
  seller.append(
    el('strong', organization().name),
    el('div', 'KG 11 Ave, Kigali', { className: 'muted' }),
  );
  const title = el('div', '', { className: 'n' });
  title.append(
    el('h2', module === 'invoices' ? 'TAX INVOICE' : 'CREDIT NOTE'),
    el('div', d[numberKey]),
    el('div', d.date, { className: 'muted' }),
  );
  head.append(seller, title);
  const to = el('p');
  to.append(el('span', 'Bill To ', { className: 'muted' }), el('bdi', d.customer_name));
  const table = el('table');
  const top = el('tr');
  top.append(
    el('th', 'Item'),
    el('th', 'Qty', { className: 'n' }),
    el('th', 'Rate', { className: 'n' }),
    el('th', 'Tax', { className: 'n' }),
    el('th', 'Amount', { className: 'n' }),
  );
  table.append(top);
  for (const line of d.line_items) {
    const tr = el('tr');
    if (line.line_item_category === 'header') {
      tr.append(el('td', line.header_name, { colSpan: 5 }));
    } else {
      const name = el('td');
      name.append(el('bdi', line.name));
      tr.append(
        name,
        el('td', line.quantity, { className: 'n' }),
        el('td', line.rate, { className: 'n' }),
        el('td', line.tax_name ? `${line.tax_name} ${line.tax_percentage}%` : '', {
          className: 'n',
        }),
        el('td', Number(line.item_total).toLocaleString('en'), { className: 'n' }),
      );
    }
    table.append(tr);
  }
  const foot = el('tfoot');
  for (const [name, value] of [
    ['Sub Total', d.sub_total],
    ['Discount', d.discount_type === 'entity_level' ? -d.discount_total : 0],
    ['Tax', d.tax_total],
    ['Shipping', Number(d.shipping_charge_inclusive_of_tax)],
    ['Adjustment', d.adjustment],
    ['Rounding', d.roundoff_value],
    ['Total', d.total],
  ]) {
    if (!value && name !== 'Total') continue;
    const tr = el('tr');
    tr.append(
      el('td', name, { colSpan: 4, className: 'n' }),
      el('td', money(value, d.currency_code), { className: 'n' }),
    );
    foot.append(tr);
  }
  table.append(foot);
  box.append(head, to, table);
  const bar = el('h1');
  bar.append(`${d[numberKey]} `, el('span', d.status, { className: `status ${d.status}` }));
  return [bar, box, ...beside(module, d)];
}

/** What was written to the document besides its amounts: fields, files, comments, mails. */
function beside(module, d) {
  const id = d[keys[module][0]];
  const section = (title, rows) => {
    if (rows.length === 0) return null;
    const part = el('section', '', { className: 'beside' });
    const rowList = el('ul');
    for (const row of rows) rowList.append(el('li', row));
    part.append(el('h2', title), rowList);
    return part;
  };
  const fields = d.custom_fields
    .filter((each) => each.value)
    .map((each) => `${each.label}: ${each.value}`);
  const files = (d.documents ?? []).map(
    (each) =>
      `${each.file_name} (${Math.ceil(each.file_size / 1024)} kB)${each.can_send_in_mail ? ', goes with the mail' : ''}`,
  );
  const comments = (organization().comments[id] ?? []).map((each) => each.description);
  const mails = (organization().mails[id] ?? []).map(
    (each) => `to ${each.to.join(', ')}, with ${each.attachments.join(', ') || 'no file'}`,
  );
  return [
    section('More Information', fields),
    section('Attachments', files),
    section('Comments', comments),
    section('Mails', mails),
  ].filter(Boolean);
}

// The host's side of the protocol -------------------------------------------------------------------------------------------------

let widgetKey = '';
let place = '';
let chosen = [];

/** The bulk action: the same pages in a window over the list, which may ask what is chosen. */
function openBulk() {
  if (frame) closePane();
  chosen = [...document.querySelectorAll('.choose:checked')].map((box) => box.value);
  openPane('bulk');
}

function openPane(which = current() ? 'widget' : 'list') {
  if (frame || !data.widget) return;
  place = which;
  $('pane').classList.toggle('modal', which === 'bulk');
  $('pane').hidden = false;
  $('open').setAttribute('aria-expanded', 'true');
  frame = el('iframe', '', {
    title: 'Muhuri',
    src: `${data.widget}/app/${which}.html?serviceOrigin=${encodeURIComponent(location.origin)}`,
  });
  frame.setAttribute(
    'sandbox',
    'allow-scripts allow-same-origin allow-forms allow-popups allow-modals allow-downloads',
  );
  frame.setAttribute('allow', 'clipboard-write');
  frame.addEventListener('load', () => {
    widgetKey = `widget_${Math.random().toString(36).slice(2)}`;
    post({
      type: '__REGISTER__',
      uniqueID: widgetKey,
      data: { meta: { inheritStyles: {}, themeInfo: {} } },
    });
  });
  $('frame').replaceChildren(frame);
}

function closePane() {
  frame = null;
  place = '';
  chosen = [];
  $('pane').removeAttribute('style');
  $('frame').replaceChildren();
  $('pane').hidden = true;
  $('open').setAttribute('aria-expanded', 'false');
}

const post = (message) => frame?.contentWindow?.postMessage(message, '*');
const send = (eventName, payload) =>
  post({ type: 'EVENT', eventName, widgetID: widgetKey, data: payload });

window.addEventListener('message', async ({ data: message, source }) => {
  if (
    source !== frame?.contentWindow ||
    message?.type !== '__EVENT__' ||
    message.eventName !== 'ZF_EVENT'
  )
    return;
  const answer = (isSuccess, value) =>
    post({ type: '__EVENT_RESPONSE__', promiseID: message.promiseID, isSuccess, data: value });
  const ask = message.data ?? {};
  if (ask.type === 'GET_DATA') return getData(ask.property, answer);
  if (ask.type === 'SHOW_NOTIFICATION') {
    $('toast').className = ask.property?.type === 'error' ? 'error' : '';
    $('toast').textContent = ask.property?.message ?? '';
    setTimeout(() => {
      $('toast').textContent = '';
    }, 3500);
    return answer(true, {});
  }
  if (ask.type === 'REFRESH_DATA') {
    data = await load();
    show();
    return answer(true, {});
  }
  if (ask.type === 'RESIZE') {
    if (place === 'bulk')
      Object.assign($('pane').style, {
        width: ask.property?.width ?? '',
        height: ask.property?.height ?? '',
      });
    return answer(true, {});
  }
  return answer(false, `Invalid event ${ask.type}`);
});

function getData(property, answer) {
  const { module } = route();
  const entities = {
    organization: organizationEntity(),
    user: { user_id: '1', name: 'Demo', email: 'demo@example.invalid', zuId: '1' },
    [keys[module][2]]: current(),
    // Assumed: in context of the list, the plural holds what is chosen.
    invoices:
      place === 'bulk' && chosen.length > 0
        ? organization().invoices.filter((each) => chosen.includes(each.invoice_id))
        : undefined,
  };
  const [name, ...path] = String(property).split('.');
  let value = entities[name];
  for (const step of path) value = value?.[step];
  if (value === undefined || value === null) return answer(false, `Invalid property ${property}`);
  return answer(true, { [property]: value });
}

/** What a live context holds: display data, unsigned; an invoice carries no organization id. */
function organizationEntity() {
  const { organization_id, name } = organization();
  return {
    organization_id,
    org_name: name,
    name,
    org_mode: 'TEST',
    data_center_extension: '.com',
    api_root_endpoint: 'https://www.zohoapis.com/books/v3',
  };
}

for (const each of data.organizations)
  $('organization').append(
    el('option', each.name, {
      value: each.organization_id,
      selected: each.organization_id === organizationId,
    }),
  );
$('organization').addEventListener('change', (event) => {
  organizationId = event.target.value;
  closePane();
  if (location.hash === '#/invoices') show();
  else location.hash = '#/invoices';
});
$('open').addEventListener('click', () => (frame ? closePane() : openPane()));
$('close').addEventListener('click', closePane);
window.addEventListener('hashchange', show);
show();
if (current() && new URLSearchParams(location.search).has('widget')) openPane();
