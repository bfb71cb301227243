import { expect, test } from 'vitest';
import { httpAddress } from './http-address.ts';

const isTaken = (text: string) => httpAddress(300).safeParse(text).success;

test('an address to be called carries no credentials, however they are written', () => {
  for (const good of [
    'http://vsdc:8080',
    'https://hooks.example/a@b?to=c@d',
    ' https://[2606:4700::1]/x ',
    'http://192.168.1.20:8080/rraVsdc',
  ])
    expect(isTaken(good), good).toBe(true);
  for (const bad of [
    'http://user:pw@host/',
    'http://user@host/',
    'http://:pw@host/',
    'http://@host/',
    'HTTP://user:pw@host',
    'http:user:pw@host/',
    'http:/user:pw@host/',
    'http:\\\\user:pw@host/',
    'http://user\\@host/',
    'http:///user:pw@host/',
    'https://host/#part',
    'ftp://host/',
    'javascript:alert(1)',
    'host',
    '',
    `http://host/${'x'.repeat(300)}`,
  ])
    expect(isTaken(bad), bad).toBe(false);
});
