import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkout } from '../world.ts';
import { changes } from './attempt-after-send.changes.ts';

test.each(changes)(
  'what the negative control of the crash proof breaks stands in $file, once',
  ({ file, from }) => {
    expect(readFileSync(join(checkout, file), 'utf8').split(from)).toHaveLength(2);
  },
);
