import { type RwVsdc, startRwVsdc } from './simulator/index.ts';

export type ApprovedDevice = { tin: string; bhfId: string; serial: string; name: string };

const taxpayers = ['100200300', '100200400'] as const;
const taxpayerOf = (index: number): string =>
  taxpayers[index] ?? String(100_200_400 + (index - 1) * 100);

const approvedDevices: ApprovedDevice[] = [
  { tin: taxpayers[0], bhfId: '00', serial: 'inzozi-kigali-1', name: 'INZOZI COFFEE TRADERS' },
  { tin: taxpayers[0], bhfId: '01', serial: 'inzozi-huye-1', name: 'INZOZI COFFEE TRADERS' },
  { tin: taxpayers[1], bhfId: '00', serial: 'umucyo-kigali-1', name: 'UMUCYO OFFICE SUPPLIES' },
];

/** The devices of a world with so many businesses. */
const approvedFor = (businesses: number): ApprovedDevice[] => [
  ...approvedDevices,
  ...Array.from({ length: businesses - 2 }, (_, i) => ({
    tin: taxpayerOf(i + 2),
    bhfId: '00',
    serial: `isoko-${i + 1}`,
    name: `ISOKO TRADERS ${String(i + 1).padStart(3, '0')}`,
  })),
];

const item = (item_class: string, item_type: string) => ({
  item_class,
  item_type,
  package_unit: 'NT',
  quantity_unit: 'U',
  origin: 'RW',
});

type Taxes = { standard: string; zero: string; exempt: string };

/** What a business has mapped of its books: its taxes, an item that is a service, and the rest. */
const mappings = (taxes: Taxes, serviceItem: string) => ({
  tax: {
    [taxes.standard]: { tax_class: 'B' },
    [taxes.zero]: { tax_class: 'C' },
    [taxes.exempt]: { tax_class: 'A' },
  },
  item: {
    default: item('5020170600', '2'),
    free_text: item('5020170600', '2'),
    [serviceItem]: item('8610170000', '3'),
  },
  charge: {
    shipping: { ...item('7812150000', '3'), name: 'Delivery' },
    adjustment: { ...item('8412150000', '3'), tax_class: 'B', name: 'Adjustment' },
  },
  payment_mode: {
    'Mobile Money': { payment_method: '06' },
    Cash: { payment_method: '01' },
    'Bank Transfer': { payment_method: '07' },
  },
});

/** Rwanda as a world of tests lives in it: its device, and what only Rwanda says of a business. */
export const authority = {
  dialect: 'rw-vsdc',
  country: 'RW',
  place: 'Kigali, Rwanda',
  phone: '+250 788 000 100',
  taxpayerOf,
  approvedDevices,
  approvedFor,
  startSimulator: startRwVsdc,
  /** Where the code of a receipt leads at a simulated device, before what it holds. */
  verificationPath: '/receipt?Data=',
  mappings,
};
export type Simulator = RwVsdc;
