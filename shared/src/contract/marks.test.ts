import * as contract from './index.ts';
import type { Endpoint } from './index.ts';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

/** What a field that holds a secret may be called. */
const suspicious = /secret|token|password|recovery|(?:^|_)(?:key|url|uri|link|codes?|qr_svg)$/;

/** Fields that are called like one and hold none, each with what it is. */
const harmless: Record<string, string> = {
  code: 'a problem’s code',
  device_code: 'what the device said',
  branch_code: 'the authority’s number of a branch',
  reason_code: 'why a refund is made',
  purchase_code: 'what the buyer told the seller',
  currency_code: 'ISO 4217',
  verification_url: 'printed on every receipt',
  redirect_uri: 'our own address, the same for everybody',
};
/** Where such a name holds none in this one place. */
const harmlessAt = new Set([
  'mappings.putMappings key',
  'notices.addSubscriber url',
  'notices.rotateSubscriber url',
]);

type Schema = {
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  $defs?: Record<string, Schema>;
  additionalProperties?: Schema;
};
function* namesIn(schema: Schema | undefined): Generator<string> {
  if (!schema || typeof schema !== 'object') return;
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    yield name;
    yield* namesIn(inner);
  }
  for (const each of [
    schema.items,
    schema.additionalProperties,
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
    ...Object.values(schema.$defs ?? {}),
  ])
    yield* namesIn(each);
}

const endpoints = Object.entries(contract).flatMap(([chapter, all]) =>
  Object.entries(all).flatMap(([name, e]) =>
    typeof e === 'object' && 'path' in e ? [[`${chapter}.${name}`, e as Endpoint] as const] : [],
  ),
);

describe('what an answer holds', () => {
  test('is marked where it is a secret, so that none is kept beside an Idempotency-Key', () => {
    const writing = endpoints.filter(([, e]) => e.method !== 'GET');
    const found = writing.flatMap(([name, e]) =>
      [
        ...new Set(
          namesIn(z.toJSONSchema(e.output, { io: 'input', unrepresentable: 'any' }) as Schema),
        ),
      ]
        .filter(
          (field) =>
            suspicious.test(field) && !(field in harmless) && !harmlessAt.has(`${name} ${field}`),
        )
        .map((field) => ({ name, field, isMarked: e.answersSecret === true })),
    );
    expect(found.filter((each) => !each.isMarked)).toEqual([]);
    // A mark on what holds none would lose an answer for nothing.
    const marked = writing.filter(([, e]) => e.answersSecret).map(([name]) => name);
    expect(marked.filter((name) => !found.some((each) => each.name === name))).toEqual([]);
    expect(marked.length).toBeGreaterThan(10);
  });
});

describe('what reads through much', () => {
  test('is marked, so that one business has few of them under way at once: every list by something, every span of time, every export', () => {
    const found = endpoints.filter(([, e]) => {
      const fields = Object.keys(
        (e.query &&
          (z.toJSONSchema(e.query, { io: 'input', unrepresentable: 'any' }) as Schema)
            .properties) ??
          {},
      );
      return (
        e.method === 'GET' &&
        (e.produces === 'text/csv' ||
          fields.some((field) => ['cursor', 'search', 'month', 'from', 'days'].includes(field)))
      );
    });
    expect(found.length).toBeGreaterThan(10);
    expect(found.filter(([, e]) => !e.heavy).map(([name]) => name)).toEqual([]);
  });
});
