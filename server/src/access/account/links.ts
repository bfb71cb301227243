import { AppError } from '../../platform/app-error.ts';
import { hashOf } from '../credential.ts';
import { findPersonById, type StoredPerson } from '../person.store.ts';
import { findTokenOf, type TokenKind } from '../person-token.store.ts';
import type { AccountPorts } from './account-ports.ts';

/** Returns whom a valid link is about. The link is consumed later, under that person's lock. */
export async function findLinkOwner(
  { database }: Pick<AccountPorts, 'database'>,
  token: string,
  kind: TokenKind,
  at: Date,
): Promise<StoredPerson> {
  const person = await database.platform(async (tx) => {
    const link = await findTokenOf(tx, hashOf(token), kind, at);
    return link?.personId ? findPersonById(tx, link.personId) : null;
  });
  if (!person) throw new AppError('link_expired');
  return person;
}
