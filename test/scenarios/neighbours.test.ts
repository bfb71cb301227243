import { dearPng, goodPng, hostilePngs } from '@muhuri/server/platform/reencode-image.samples';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';

/** What one business gives, or whom it has us call, is felt by nobody else. */
let world: World;
let admin: Api;
let other: Api;
beforeAll(async () => {
  world = await startWorld({ instead: { vsdc: { answerTimeoutMs: 1_500, connectTimeoutMs: 600 }, waitMs: 5_000, sweepMs: 300, intakeMs: 30 } });
  admin = await Api.signIn(world, world.businesses[0].admin);
  other = await Api.signIn(world, world.businesses[1].admin);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const dataUrl = (file: Buffer, kind = 'png') => `data:image/${kind};base64,${file.toString('base64')}`;
const config = async () => (await admin.get('/businesses/me/config')).body as { version: number; branding: { logo: string | null } };
/** The owner's own hand in the row: as an older version, a restored copy or an edit would have left it. */
async function store(businessId: string, logo: string): Promise<void> {
  const owner = new pg.Client({ connectionString: world.postgres.urlFor('admin', new URL(world.databaseUrls.owner).pathname.slice(1)) });
  await owner.connect();
  await owner.query(`update business set branding = jsonb_set(branding, '{logo}', to_jsonb($2::text)) where business_id = $1`, [businessId, logo]);
  await owner.end();
}
const invoiceOf = (index: number) =>
  world.zoho.documents().find((each) => each.organization_id === world.businesses[index]?.organizationId && each.canSeal && each.module === 'invoices')?.id ??
  '';

describe('a logo', () => {
  test('that would end the process is refused wherever it is given, and everybody else is answered', async () => {
    const { version } = await config();
    const logos = [...Object.values(hostilePngs), dearPng()].map((file) => dataUrl(file));
    for (const logo of logos) {
      expect((await admin.post('/businesses/me/branding/preview', { branding: { logo } })).body.code).toBe('image_refused');
      expect((await admin.put('/businesses/me/config', { version, branding: { logo } })).body.code).toBe('image_refused');
    }
    expect((await other.get('/auth/me')).status).toBe(200);
    expect((await config()).version).toBe(version);
  });

  test('is stored as we wrote it, and given back it is left as it is', async () => {
    const kept = await admin.put('/businesses/me/config', { version: (await config()).version, branding: { logo: dataUrl(goodPng) } });
    const { logo } = kept.body.branding as { logo: string };
    expect(logo).toMatch(/^data:image\/png;base64,/);
    expect(logo).not.toBe(dataUrl(goodPng));
    const again = await admin.put('/businesses/me/config', { version: kept.body.version, branding: kept.body.branding });
    expect((again.body.branding as { logo: string }).logo).toBe(logo);
    const preview = await admin.post('/businesses/me/branding/preview', { branding: { logo: dataUrl(goodPng) } });
    expect(preview.body.text).toMatch(/^%PDF/);
  });

  test('that stands in a row from elsewhere is on no paper; at the next start it is written anew, or goes and the admin is told', async () => {
    const [first, second] = world.businesses;
    const sealed = await admin.seal('invoices', invoiceOf(0));
    expect(sealed.body.state).toBe('signed');
    await store(first.businessId, dataUrl(hostilePngs['rows that are no zlib stream'] as Buffer));
    await store(second.businessId, dataUrl(goodPng));
    const printed = await admin.post(`/receipts/${sealed.body.id}/prints`, { paper: 'a4' });
    expect(printed.status).toBe(200);
    // What a business changes meanwhile leaves the logo to be looked at.
    expect((await other.put('/businesses/me/config', { version: (await other.get('/businesses/me/config')).body.version, location: 'Huye' })).status).toBe(200);
    await world.anotherApp();
    const alerts = await until(
      async () => (await admin.get('/alerts')).body.alerts as { problem: { code: string } }[],
      (open) => open.some(({ problem }) => problem.code === 'logo_removed'),
    );
    expect(alerts).toHaveLength(1);
    expect((await config()).branding.logo).toBe(null);
    const kept = await until(
      async () => ((await other.get('/businesses/me/config')).body.branding as { logo: string | null }).logo,
      (logo) => logo !== null,
    );
    expect(kept).not.toBe(dataUrl(goodPng));
    await admin.put('/businesses/me/config', { version: (await config()).version, branding: { logo: dataUrl(goodPng) } });
    expect((await admin.get('/alerts')).body.alerts).toEqual([]);
  });

  test('in the file of a business that is registered on the command line is looked at like any other', async () => {
    const { registration } = await import('@muhuri/server/onboarding/register-business');
    const file = {
      business: {
        business_name: 'Third',
        email: 'office@third.example',
        location: 'Kigali',
        tin_number: '100200500',
        phone_number: '+250 788 000 100',
        country: 'RW',
        vat_registered: true,
        go_live_date: '2026-01-01',
        branding: { logo: dataUrl(hostilePngs['a filter that does not exist'] as Buffer) },
      },
      branches: [
        { branch_code: '00', name: 'Head', address: '', device: { dialect: 'rw-vsdc', serial: 'x', environment: 'sandbox', address: world.vsdc.url } },
      ],
      zoho: {
        organization_id: '999',
        grant: { accounts_server: world.zoho.url, api_domain: world.zoho.url, client_id: 'id', client_secret: 'some', refresh_token: 'some' },
      },
      account: { username: 'admin@third', name: 'T', email: 'admin@third.example', password: 'seven quiet herons' },
    };
    await expect(world.app.registerBusiness(registration.parse(file))).rejects.toMatchObject({ code: 'image_refused' });
  });
});
