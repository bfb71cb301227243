import { expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { vaultFrom } from './platform/vault.ts';

test('a bad environment is one message with every problem, and repeats no value', () => {
  const read = readConfig({
    DATABASE_URL: 'mysql://secret-host/x',
    MUHURI_MASTER_KEY: 'c2hvcnQ=',
    VSDC_NETWORKS: 'everything',
    PORT: '99999',
  });
  if (!('problems' in read)) throw new Error('accepted');
  for (const name of [
    'DATABASE_URL',
    'QUEUE_DATABASE_URL',
    'MIGRATION_DATABASE_URL',
    'MUHURI_MASTER_KEY',
    'MUHURI_PUBLIC_URL',
    'VSDC_NETWORKS',
    'PORT',
  ])
    expect(read.problems.join('\n')).toContain(name);
  expect(read.problems.join('\n')).not.toContain('secret-host');
});

test('sessions and links travel encrypted: the public address is https, unless it is this machine itself', () => {
  const problemOf = (url: string) => {
    const read = readConfig({ MUHURI_PUBLIC_URL: url });
    return 'problems' in read
      ? read.problems.find((each) => each.includes('MUHURI_PUBLIC_URL'))
      : undefined;
  };
  for (const url of [
    'http://muhuri.example',
    'http://10.0.0.1:8710',
    'http://127.0.0.1.evil.example',
    'ftp://muhuri.example',
    'nonsense',
    '',
  ])
    expect(problemOf(url), url).toBeDefined();
  for (const url of [
    'https://muhuri.example',
    'http://127.0.0.1:8710',
    'http://localhost',
    'http://[::1]:8710',
  ])
    expect(problemOf(url), url).toBeUndefined();
});

test('a sealed secret opens only for its owner and its field', () => {
  const vault = vaultFrom(Buffer.alloc(32, 7));
  const key = vault.newDataKey('biz_1');
  const sealed = vault.encrypt(key, 'biz_1', 'refresh_token', 'the secret');
  expect(sealed).not.toContain('secret');
  expect(vault.decrypt(key, 'biz_1', 'refresh_token', sealed)).toBe('the secret');
  expect(() => vault.decrypt(key, 'biz_2', 'refresh_token', sealed)).toThrow();
  expect(() => vault.decrypt(key, 'biz_1', 'client_secret', sealed)).toThrow();
  expect(() =>
    vaultFrom(Buffer.alloc(32, 8)).decrypt(key, 'biz_1', 'refresh_token', sealed),
  ).toThrow();
});
