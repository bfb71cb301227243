export const country = 'RW';
export const timeZone = 'Africa/Kigali';
export const currency = 'RWF';

/** The class of a seller who is not registered for VAT. */
export const nonVatClass = 'D';

const source = 'RRA, tax type code class 04 of the VSDC code lists; Law on VAT: standard rate 18 %';

/**
 * The RRA's tax classes in their order. The device's own list (class 04) wins where it has been
 * fetched.
 */
export const taxClasses = [
  { code: 'A', since: '2013-01-01', percent: '0', source },
  { code: 'B', since: '2013-01-01', percent: '18', source },
  { code: 'C', since: '2013-01-01', percent: '0', source },
  { code: 'D', since: '2013-01-01', percent: '0', source },
];

export const classes = taxClasses.map((each) => each.code);
