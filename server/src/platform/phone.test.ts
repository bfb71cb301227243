import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasPhoneNumber, readPhone } from './phone.ts';

describe('a telephone number is its digits, however it is spelled', () => {
  test.each([
    '0788000006',
    '(+250) 788 000 006',
    '0788.000.006',
    '0788\u00a0000\u00a0006',
    '0788\u2011000\u2011006',
    '0788-000-006',
    '0788/000/006',
    'Tel: 0788 000 006',
    'tél. 0788 000 006 (bureau)',
    '+250 (0) 788 000 006',
    '00250 788000006',
    '250788000006',
    '788 000 006',
    '0788 000 006 ext 4',
    '0788 000 006 / 0722 000 111',
    '0788000006, 0722000111',
    '0788000006 or 0722000111',
    '\u202a0788 000 006\u202c',
    '٠٧٨٨٠٠٠٠٠٦',
    '०७८८०००००६',
    '０７８８０００００６',
    '0788\t000\t006',
    '0788000006 0722000111',
    '0788 000 006 0722 000 111',
    '0788000006 - 0722000111',
    '+250788000006 +250722000111',
    'M 0788000006 T 0252123456',
    '0788 000 006 (MTN) 0733 000 111 (Airtel)',
    '0788 000 006 poste 4',
    'Office 2nd floor: 0788 000 006',
    '788000006.00',
    '7.88000006E8',
    // Days of the calendar as well, if the rest did not make them a number.
    '07.8.8 000006',
    '0 7.8.80 00006',
    '07/8/8 000006',
    'desk2024123@shop.example 0788 000 006',
    'TIN 101234567, tel. 0788 000 006',
    'since 2019-04-01: 0788 000 006',
  ])('%s', (written) => expect(readPhone(written, 'RW')).toBe('0788000006'));

  test.each(['0252 578 000', '+250 252 578 000', '252578000', '(0252) 578-000'])(
    'a landline keeps the nought that is dialled before it: %s',
    (written) => expect(readPhone(written, 'RW')).toBe('0252578000'),
  );
  test('of another country it keeps the country’s code', () =>
    expect(readPhone('+254 712 345 678', 'RW')).toBe('+254712345678'));
  test('of a plan nobody has told the library of, it is taken as its digits', () => {
    expect(readPhone('98 76 54', 'RW')).toBe('987654');
    expect(readPhone('+999 12 34 56 78', 'RW')).toBe('+99912345678');
  });
  test('of a country the library does not know, it is taken as its digits', () =>
    expect(readPhone('0788 000 006', 'ZZ')).toBe('0788000006'));
  test('of more digits than any number has, it is none: nothing is cut off to make one', () => {
    expect(readPhone('12345678901234567890', 'RW')).toBeNull();
    expect(readPhone('12345678901234567890', 'ZZ')).toBeNull();
    expect(readPhone('0788000006 0722000111', 'ZZ')).toBe('0788000006');
  });
  test('the digits of an e-mail address are none', () => {
    expect(readPhone('desk2024123@shop.example', 'RW')).toBeNull();
    expect([
      hasPhoneNumber('desk2024123@shop.example'),
      hasPhoneNumber('12345678901234567890'),
      hasPhoneNumber('0788 000 006 0722 000 111'),
    ]).toEqual([false, false, true]);
  });
  test.each([
    '0000000000',
    '00 00 00',
    '99 99 99',
    '12/05/1980',
    '1980-5-12',
    '31.12.85',
    '12 May 1980',
    '1st June 2019',
    'TIN 101234567',
    'NIF: 101 234 567',
  ])('%s is dialled by nobody', (written) => {
    expect([readPhone(written, 'RW'), readPhone(written, 'ZZ'), hasPhoneNumber(written)]).toEqual([
      null,
      null,
      false,
    ]);
  });
  test.each([
    '07.88.00.00.06',
    '07-88-00-00-06',
    '07/88/00/00/06',
    'TIN 101234567 0788 000 006',
    'born 12/05/1980, 0788 000 006',
  ])('what looks like another thing in part is still the number it is: %s', (written) =>
    expect(readPhone(written, 'RW')).toBe('0788000006'),
  );
  test.each(['', 'call me', 'n/a', '0788', '12 34 5', '-', 'ext. 7'])(
    '“%s” has too few digits to be one',
    (written) => expect(readPhone(written, 'RW')).toBeNull(),
  );

  test('whatever stands between and around its digits, those digits come out', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            '',
            ' ',
            '.',
            '-',
            '\u00a0',
            '\u2011',
            '\u2013',
            ' - ',
            ')',
            '(',
            '\u200e',
          ),
          { minLength: 11, maxLength: 11 },
        ),
        fc.constantFrom('', 'Tel: ', 'mobile ', 'T. ', 'WhatsApp: ', '☎ '),
        (between, before) => {
          const spelled = [...'0788000006'].map((digit, i) => `${between[i]}${digit}`).join('');
          expect(readPhone(`${before}${spelled}${between[10]}`, 'RW')).toBe('0788000006');
        },
      ),
    ));
  test('text of any kind never throws, and what comes out is digits', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(readPhone(text, 'RW') ?? '000000').toMatch(/^\+?\d{6,17}$/);
      }),
    ));
});
