import type { ProblemCode } from '@muhuri/shared/problems';

/**
 * What one result code of the device means for a sale, on the first send of its bytes and on a
 * resend after a doubt.
 */
export type Meaning =
  | { is: 'signed' }
  | { is: 'refused'; problem: ProblemCode }
  | { is: 'number_taken' }
  | { is: 'not_served'; problem: ProblemCode; pauses: boolean }
  | { is: 'in_doubt' };

const refused = (problem: ProblemCode): Meaning => ({ is: 'refused', problem });
const notServed = (problem: ProblemCode, pauses: boolean): Meaning => ({
  is: 'not_served',
  problem,
  pauses,
});
/** The one code of a success. */
export const signedCode = '000';

const inDoubt: Meaning = { is: 'in_doubt' };
const taken: Meaning = { is: 'number_taken' };

/**
 * Every code of the RRA's client and server tables (VSDC v1.0.x) and of the extended list that
 * sister systems share. The same meaning holds for a first send and a resend unless a pair is
 * given. Codes that say nothing sure about the document (a link that broke behind the device, a
 * generic error, "already declared") are doubts, never refusals: the device may have signed.
 */
const table: Record<string, Meaning | [first: Meaning, resend: Meaning]> = {
  [signedCode]: { is: 'signed' },
  '001': inDoubt,
  '801': inDoubt,
  '802': inDoubt,
  '803': inDoubt,
  '804': inDoubt,
  '805': inDoubt,
  '834': refused('device_refused'),
  '836': notServed('device_sequence', true),
  '838': notServed('device_offline', false),
  '881': refused('refused_purchase_code_missing'),
  '882': refused('refused_purchase_code_invalid'),
  '883': refused('refused_purchase_code_used'),
  '884': refused('refused_buyer_tin'),
  '891': refused('device_refused'),
  '892': refused('device_refused'),
  '893': refused('device_refused'),
  '894': inDoubt,
  '895': refused('device_refused'),
  '896': inDoubt,
  '899': inDoubt,
  '900': notServed('device_invalid', true),
  '901': notServed('device_invalid', true),
  '902': inDoubt,
  '903': notServed('device_invalid', true),
  '905': inDoubt,
  '910': refused('refused_amounts'),
  '911': refused('device_refused'),
  '912': refused('device_refused'),
  '913': refused('refused_code'),
  '921': inDoubt,
  '922': refused('refused_original'),
  '924': taken,
  '930': refused('refused_original'),
  '931': refused('refused_original'),
  '932': refused('refused_original'),
  '934': refused('refused_refund_quantity'),
  '935': refused('refused_original'),
  '990': inDoubt,
  '991': inDoubt,
  '992': inDoubt,
  '993': inDoubt,
  '994': taken,
  '995': inDoubt,
  '999': inDoubt,
};

// A repeated number is answered with 924 very likely, 994 by another list, and 899 (a generic
// error) by the sister system in Kenya. A generic code counts as a taken number only with the
// sentence that says so.
const saysTaken = /already exist|duplicat|overlap/i;

/** The field whose amount it is not content with. */
const saysSupply = /splyAmt/i;

export function meaningOf(code: string, text: string, isResend: boolean): Meaning {
  if (code === '899' && saysTaken.test(text)) return taken;
  if (code === '910' && saysSupply.test(text)) return refused('refused_supply');
  const entry = table[code];
  // A code nobody has written down proves nothing.
  if (!entry) return inDoubt;
  return Array.isArray(entry) ? entry[isResend ? 1 : 0] : entry;
}

export const knownCodes = Object.keys(table);
