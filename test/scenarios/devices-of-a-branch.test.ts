import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@muhuri/server/platform/db/database';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { checkout, startWorld, type World } from '../world.ts';

let world: World;
let admin: Api;
beforeAll(async () => {
  world = await startWorld();
  admin = await Api.signIn(world, world.businesses[0].admin);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const own = () =>
  world.zoho
    .documents()
    .filter(
      (each) =>
        each.organization_id === world.businesses[0].organizationId &&
        each.module === 'invoices' &&
        each.what.startsWith('simple sale'),
    );

describe('a database from before devices could follow one another', () => {
  test('comes up with everything it had, goes back, and comes up again', async () => {
    const { businessId } = world.businesses[0];
    const [document] = own();
    const sealed = await admin.seal('invoices', document?.id ?? '');
    expect(sealed.body.state).toBe('signed');
    await world.app.settle();
    const directory = join(checkout, 'server/src/migrations');
    const only = readdirSync(directory).find((name) => name.startsWith('0017-')) as string;
    const facts = async () => ({
      receipts: await world.sql(
        'select id, environment, moved_to from receipt order by id',
        [],
        businessId,
      ),
      signatures: await world.sql(
        'select receipt_id, environment from signature order by receipt_id',
        [],
        businessId,
      ),
      items: await world.sql(
        'select device_id, item_id, content from item_registration where content is not null order by 1, 2',
        [],
        businessId,
      ),
      days: await world.sql(
        'select branch_id, environment, count::int, total from receipt_day order by 1',
        [],
        businessId,
      ),
      sealed: await world.sql(
        'select document_id, sealed from document order by 1',
        [],
        businessId,
      ),
    });
    const before = await facts();
    expect(before.receipts).toMatchObject([{ environment: 'production', moved_to: null }]);
    await migrate(world.databaseUrls.owner, directory, { down: true, only });
    expect(
      await world.sql(
        'select count(*)::int as known from item where registered is not null',
        [],
        businessId,
      ),
    ).toEqual([{ known: before.items.length }]);
    await migrate(world.databaseUrls.owner, directory, { only });
    const after = await facts();
    // What one device was told counted for all of its business before.
    expect(after.items.length).toBe(before.items.length * world.businesses[0].branchIds.length);
    expect({ ...after, items: null }).toEqual({ ...before, items: null });
    const [branch] = await world.sql(
      'select production_since is not null as since from branch order by branch_code limit 1',
      [],
      businessId,
    );
    expect(branch).toEqual({ since: true });
  });
});

test('a database from before branches stood on documents gets them, of every business, and none for what a late signature contests', async () => {
  const directory = join(checkout, 'server/src/migrations');
  const named = (number: string) =>
    readdirSync(directory).find((name) => name.startsWith(`${number}-`)) as string;
  const downAndUp = async () => {
    for (const number of ['0030', '0027'])
      await migrate(world.databaseUrls.owner, directory, { down: true, only: named(number) });
    await migrate(world.databaseUrls.owner, directory, { only: named('0027') });
    // Whatever is told of a receipt in between, its document hears it from functions that know of
    // no late signature.
    for (const { businessId } of world.businesses)
      await world.sql('update receipt set contested = contested where contested', [], businessId);
    await migrate(world.databaseUrls.owner, directory, { only: named('0030') });
  };
  // An earlier one that was undone and done again has put its own functions in the place of later
  // ones.
  await downAndUp();
  const contested: string[] = [];
  for (const business of world.businesses) {
    const api = await Api.signIn(world, business.admin);
    await api.post('/zoho/poll');
    const [first, second] = ['simple sale', 'paid in mobile money'].map((what) =>
      world.zoho
        .documents()
        .find(
          (each) => each.organization_id === business.organizationId && each.what.startsWith(what),
        ),
    );
    await until(
      () =>
        world.sql(
          'select 1 from document where document_id = any($1)',
          [[first?.id, second?.id]],
          business.businessId,
        ),
      (rows) => rows.length === 2,
    );
    for (const each of [first, second])
      expect(
        (await api.seal('invoices', each?.id ?? '', { confirm: ['before_production'] })).body.state,
      ).toBe('signed');
    await world.sql(
      'update receipt set contested = true where document_id = $1',
      [second?.id],
      business.businessId,
    );
    contested.push(String(second?.id));
  }
  const facts = async () => {
    const rows = world.businesses.map(({ businessId }) =>
      world.sql(
        'select document_id, sealed, sealed_branch from document order by 1',
        [],
        businessId,
      ),
    );
    return (await Promise.all(rows)).flat();
  };
  const before = await facts();
  expect(before.filter((row) => row.sealed_branch !== null).length).toBeGreaterThanOrEqual(2);
  expect(before.filter((row) => contested.includes(String(row.document_id)))).toMatchObject([
    { sealed: false },
    { sealed: false },
  ]);
  await downAndUp();
  expect(await facts()).toEqual(before);
});
