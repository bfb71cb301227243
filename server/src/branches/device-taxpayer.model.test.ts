import { describe, expect, test } from 'vitest';
import { isSameName, taxpayerDifference } from './device-taxpayer.model.ts';

describe('a name as the device tells it', () => {
  test.each([
    ['Inzozi Coffee Traders', 'INZOZI COFFEE TRADERS LTD'],
    ['Inzozi Coffee Traders Ltd.', 'Inzozi  Coffee-Traders Limited'],
    ['Société Générale du Café S.A.R.L.', 'SOCIETE GENERALE DU CAFE SARL'],
    ['Mutoni & Sons Co.', 'MUTONI AND SONS'],
    ['Jean Bosco Habimana', 'HABIMANA JEAN BOSCO'],
    ['Kivu Belt Foods', 'KIVUBELT FOODS'],
    ["L'Étoile d’Or", 'LETOILE DOR'],
    ['The Company Ltd', 'THE COMPANY LTD'],
    ['ＫＩＶＵ Foods', 'kivu foods'],
    [
      'Rwanda Mountain Coffee Growers and Exporters Cooperative Union of the North',
      'RWANDA MOUNTAIN COFFEE GROWERS AND EXPORTERS COOPERATIVE UNI',
    ],
  ])('%s is %s', (own, told) => expect(isSameName(own, told)).toBe(true));

  test.each([
    ['Inzozi Coffee Traders', 'UMUCYO OFFICE SUPPLIES'],
    ['Inzozi Coffee Traders', 'INZOZI COFFEE'],
    ['Kivu Foods 1', 'KIVU FOODS 2'],
    ['The Company Ltd', 'THE SOCIETY SARL'],
    ['قهوة رواندا', 'شاي رواندا'],
  ])('%s is not %s', (own, told) => expect(isSameName(own, told)).toBe(false));

  test('what was not told cannot differ; what differs is said with both', () => {
    const own = { name: 'Kivu Foods', isVatRegistered: true };
    expect(taxpayerDifference(own, { name: null, isVatRegistered: null }, 'Kigali')).toBeNull();
    expect(taxpayerDifference(own, { name: ' ', isVatRegistered: true }, 'Kigali')).toBeNull();
    expect(
      taxpayerDifference(own, { name: 'KIVU FOODS LTD', isVatRegistered: false }, 'Kigali'),
    ).toMatchObject({
      code: 'taxpayer_vat_differs',
      own_vat_registered: true,
      told_vat_registered: false,
    });
    expect(
      taxpayerDifference(own, { name: 'OTHER', isVatRegistered: null }, 'Kigali'),
    ).toMatchObject({
      code: 'taxpayer_name_differs',
      own_name: 'Kivu Foods',
      told_name: 'OTHER',
    });
  });
});
