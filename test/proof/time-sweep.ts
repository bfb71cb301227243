import { Api } from '../api.ts';
import { startWorld, type World } from '../world.ts';

/**
 * Moments at which a day, a month or a year changes, in Rwanda (UTC+2), and the seconds around
 * them.
 */
const edges = [
  ['an ordinary midnight', '2026-11-21T22:00:00Z'],
  ['the end of a month', '2026-11-30T22:00:00Z'],
  ['the end of a year', '2026-12-31T22:00:00Z'],
  ['into a leap day', '2028-02-28T22:00:00Z'],
  ['out of a leap day', '2028-02-29T22:00:00Z'],
  ['no leap day in 2027', '2027-02-28T22:00:00Z'],
  ['a century that is not one', '2100-02-28T22:00:00Z'],
  ['midnight in UTC', '2026-11-22T00:00:00Z'],
] as const;
const around = [-60_000, -1_000, -1, 0, 1_000, 60_000];
const skews = [-24 * 3_600_000, -3_600_000, 3_600_000, 24 * 3_600_000];

export type TimeReport = { moments: number; wrong: string[] };

const inRwanda = (at: number) => new Date(at + 2 * 3_600_000).toISOString();

/**
 * Seals at the edges of time, with the clocks of server and device apart by up to a day: what goes
 * over the wire is the country's date and time, what is dated tomorrow is not sealed, and what the
 * device says of when it signed is kept as it said it.
 */
export async function sweepTime(postgres: World['postgres']): Promise<TimeReport> {
  let now = Date.parse('2026-11-21T12:00:00Z');
  const world = await startWorld({
    postgres,
    instead: { clock: { now: () => new Date(now) }, timing: { readAgainMs: 1e12 } },
  });
  const [business] = world.businesses;
  await world.sql(
    "update business set settings = settings || '{\"document_age_days_max\": 3650}', go_live_date = '2026-01-01' where business_id = $1",
    [business.businessId],
    business.businessId,
  );
  const source = world.zoho
    .documents()
    .find(
      (each) =>
        each.organization_id === business.organizationId && each.what.startsWith('simple sale'),
    );
  const wrong: string[] = [];
  let moments = 0;
  let made = 0;
  const add = (date: string): string => {
    made += 1;
    const invoice_id = `97${String(made).padStart(12, '0')}`;
    world.zoho.add('invoices', business.organizationId, {
      ...structuredClone(world.zoho.document('invoices', source?.id ?? '')),
      invoice_id,
      invoice_number: `T-${made}`,
      date,
    });
    return invoice_id;
  };
  let deviceOffset = 0;
  const setDevice = (ms: number) => {
    const wanted = now + ms - Date.now();
    world.vsdc.advanceClock(wanted - deviceOffset);
    deviceOffset = wanted;
  };

  const seal = async (name: string, skewMs: number): Promise<void> => {
    moments += 1;
    setDevice(skewMs);
    const api = await Api.signIn(world, business.admin);
    const today = inRwanda(now).slice(0, 10);
    const tomorrow = inRwanda(now + 86_400_000).slice(0, 10);
    const at = `${name} at ${new Date(now).toISOString()}, device ${skewMs / 3_600_000} h`;
    const early = await api.seal('invoices', add(tomorrow));
    if (early.body.code !== 'document_future')
      wrong.push(
        `${at}: a document of tomorrow was answered ${early.body.code ?? early.body.state}`,
      );
    const { body } = await api.seal('invoices', add(today));
    const held = world.vsdc.receipts().find((each) => each.request.remark === `T-${made}`);
    // A device whose day is still yesterday does not take a sale of today, and says so; then
    // nothing is signed and nothing is lost.
    const isYesterday = inRwanda(now + skewMs).slice(0, 10) < today;
    if (isYesterday) {
      if (body.state !== 'refused' || held)
        wrong.push(`${at}: the device lives yesterday, and the sale is ${body.state}`);
      return;
    }
    if (body.state !== 'signed' || !held) {
      wrong.push(`${at}: ${body.state} ${body.problem?.code}`);
      return;
    }
    const wire = { cfmDt: String(held.request.cfmDt), salesDt: String(held.request.salesDt) };
    const local = inRwanda(now).replace(/\D/g, '').slice(0, 14);
    if (wire.cfmDt !== local) wrong.push(`${at}: cfmDt ${wire.cfmDt}, and it was ${local} there`);
    if (wire.salesDt !== today.replaceAll('-', ''))
      wrong.push(`${at}: salesDt ${wire.salesDt}, and it was ${today} there`);
    const said = String(held.reply.vsdcRcptPbctDate);
    const kept = inRwanda(Date.parse(body.signed_at as string))
      .replace(/\D/g, '')
      .slice(0, 14);
    if (kept !== said) wrong.push(`${at}: the device signed at ${said}, and ${kept} is kept`);
  };

  for (const [name, edge] of edges)
    for (const ms of around) {
      now = Date.parse(edge) + ms;
      await seal(name, 0);
    }
  for (const skew of skews)
    for (const [name, edge] of edges.slice(0, 5)) {
      now = Date.parse(edge) + 30_000;
      await seal(name, skew);
    }
  await world[Symbol.asyncDispose]();
  return { moments, wrong };
}
