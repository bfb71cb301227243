import { loadDialects } from '@muhuri/server/dialects/index';
import { describe, expect, test } from 'vitest';

const dialects = await loadDialects();

describe.each(dialects.all().map((dialect) => [dialect.key, dialect] as const))(
  '%s',
  (_key, dialect) => {
    test('says of every tax class since when and where it is written', () => {
      expect(dialect.taxClasses.length).toBeGreaterThan(0);
      for (const each of dialect.taxClasses) {
        expect(each.since).toMatch(/^\d{4}-\d{2}-\d{2}$/);
        expect(each.source.length).toBeGreaterThan(10);
        expect(each.percent).toMatch(/^\d+(\.\d+)?$/);
      }
    });

    test('knows a real time zone and currency', () => {
      expect(() => new Intl.DateTimeFormat('en', { timeZone: dialect.timeZone })).not.toThrow();
      expect(dialect.currency).toMatch(/^[A-Z]{3}$/);
    });

    test('says what its devices do with a number that they have signed', () => {
      expect(['refused_by_device', 'may_sign_again']).toContain(dialect.resend);
    });

    test('takes nothing for an answer that is none', () => {
      for (const body of ['', '<html></html>', '{}', 'null', '{"resultCd": null}']) {
        for (const isResend of [false, true])
          expect(dialect.sell.read({ status: 200, body }, isResend).is).toBe('in_doubt');
        expect(dialect.probe.isServing({ status: 200, body })).toBe(false);
      }
    });
  },
);
