/** Seeds that have failed, and what they found; each stays a test. */
export const keptSeeds = [
  { seed: 40, because: 'a number that another program took during a doubt left its document “signed, answer lost” for ever' },
  { seed: 240, because: 'the same after a refusal of the resend' },
  { seed: 530, because: 'the same, with a later document behind it' },
  { seed: 2251, because: 'an answer that could not be ours, told again after its commit’s answer was lost, was taken for a late one and believed' },
];
