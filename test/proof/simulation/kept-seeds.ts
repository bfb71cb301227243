import type { Life } from './simulate.ts';

/** Seeds that have failed, and what they found; each stays a test. */
export const keptSeeds: { seed: number; because: string; life?: Life }[] = [
  {
    seed: 40,
    because:
      'a number that another program took during a doubt left its document “signed, answer lost” for ever',
  },
  { seed: 240, because: 'the same after a refusal of the resend' },
  { seed: 530, because: 'the same, with a later document behind it' },
  {
    seed: 2251,
    because:
      'an answer that could not be ours, told again after its commit’s answer was lost, was taken for a late one and believed',
  },
  {
    seed: 40,
    life: 'replaces',
    because:
      'a number that another program took during a doubt left it open for ever at a device that was replaced',
  },
  {
    seed: 1230,
    life: 'rehearses',
    because:
      'a document that met a number of another program’s at the rehearsal stayed in doubt for ever',
  },
  {
    seed: 5138,
    life: 'replaces',
    because:
      'a late answer was heard while the next document was on its way, whose total was taken for a stranger’s: the lane stopped',
  },
  {
    seed: 1424,
    life: 'hears late',
    because:
      'what was brought for a number that a signed document may stand under as well had nobody to confirm it',
  },
  {
    seed: 444,
    life: 'hears late',
    because:
      'a document in doubt again about what was sent before it was corrected was signed with what it said since',
  },
  {
    seed: 300314,
    life: 'hears late',
    because:
      'what two persons had said not to have a number was thought to be free too early: it had been refused under it once',
  },
  {
    seed: 4894,
    life: 'hears late',
    because:
      'a server that woke up sent a document anew while it still listened for the answer to what it had sent of it before',
  },
  { seed: 8149, life: 'hears late', because: 'the same with a credit note' },
];
