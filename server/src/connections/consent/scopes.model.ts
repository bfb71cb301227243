export type Ability = 'read' | 'write_back' | 'install';

/**
 * The least that each ability needs (zoho-books-api: scopes). Actions by POST need CREATE even where
 * they only change a state.
 */
const scopesOf: Record<Ability, string[]> = {
  read: [
    'ZohoBooks.invoices.READ',
    'ZohoBooks.creditnotes.READ',
    'ZohoBooks.contacts.READ',
    'ZohoBooks.settings.READ',
  ],
  write_back: [
    'ZohoBooks.invoices.UPDATE',
    'ZohoBooks.invoices.CREATE',
    'ZohoBooks.creditnotes.CREATE',
    'ZohoBooks.creditnotes.UPDATE',
  ],
  install: ['ZohoBooks.settings.CREATE', 'ZohoBooks.settings.DELETE'],
};
const bookScope = /^ZohoBooks\.[a-z]+\.(?:READ|CREATE|UPDATE|DELETE)$/;

/**
 * Returns the scopes to ask for: those of the abilities, and those of the books held already, since
 * what was allowed before stays allowed.
 */
export function scopesFor(abilities: Ability[], held: string): string[] {
  const needed = ['read' as const, ...abilities].flatMap((each) => scopesOf[each]);
  const kept = held.split(' ').filter((scope) => bookScope.test(scope));
  return [...new Set([...needed, ...kept])];
}
