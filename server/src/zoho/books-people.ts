import { AppError } from '../platform/app-error.ts';
import type { BooksPeople, BooksUser } from '../ports/books-people.ts';
import type { ZohoClient } from './client.ts';
import type { Json } from './parse-json.ts';
import { list, text } from './json-fields.ts';

/**
 * Zoho's users of an organization. A token that is nobody's there is answered with 6041 or 57, not
 * with an empty user.
 */
export const booksPeople = (zoho: ZohoClient): BooksPeople => ({
  async whoIs(access, as) {
    const answer = await unlessForbidden(
      zoho.call(access, { method: 'GET', path: '/users/me', as }),
    );
    return answer?.is === 'found' ? toUser(answer.body.user) : null;
  },
  async organizationName(access, as) {
    const answer = await unlessForbidden(
      zoho.call(access, { method: 'GET', path: `/organizations/${access.organizationId}`, as }),
    );
    const found =
      answer?.is === 'found'
        ? (answer.body.organization as { name?: Json } | undefined)
        : undefined;
    return text(found?.name) || null;
  },
  async find(access, id) {
    const answer = await zoho.get(access, `/users/${encodeURIComponent(id)}`);
    return answer.is === 'found' ? toUser(answer.body.user) : null;
  },
});

const unlessForbidden = <T>(asked: Promise<T>): Promise<T | null> =>
  asked.catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'books_forbidden') return null;
    throw error;
  });

function toUser(user: Json | undefined): BooksUser | null {
  if (typeof user !== 'object' || user === null || Array.isArray(user)) return null;
  const {
    user_id: id,
    name,
    email,
    user_role: role,
    status,
    email_ids: all,
  } = user as Record<string, Json>;
  if (text(id) === '') return null;
  const selected = list(all).find((each) => each.is_selected === true)?.email;
  return {
    id: text(id),
    name: text(name),
    email: (text(selected) || text(email)).toLowerCase(),
    role: text(role),
    isActive: status === 'active',
  };
}
