import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { vaultFrom } from './vault.ts';

test('what was cut short does not open, not even an empty secret with the first bytes of its own tag', () => {
  const vault = vaultFrom(randomBytes(32));
  const key = vault.newDataKey('biz_1');
  for (const secret of ['', 'a secret']) {
    const [version, nonce, body = ''] = vault.encrypt(key, 'biz_1', 'field', secret).split('.');
    expect(vault.decrypt(key, 'biz_1', 'field', [version, nonce, body].join('.'))).toBe(secret);
    const bytes = Buffer.from(body, 'base64url');
    for (let length = 1; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length).toString('base64url');
      expect(
        () => vault.decrypt(key, 'biz_1', 'field', [version, nonce, cut].join('.')),
        `${length} bytes`,
      ).toThrow();
    }
  }
});
