import {
  hashPassword,
  insertMembership,
  insertMembershipIndex,
  insertPerson,
} from '../access/index.ts';
import type { Recorder } from '../audit/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Registration } from './registration.ts';

export type AddPerson = (
  businessId: string,
  account: Registration['account'],
) => Promise<{ personId: string }>;

/** One more person in a business, with a password set by whoever runs the command line. */
export const addPerson =
  (ports: { database: Database; clock: Clock; newId: NewId; record: Recorder }): AddPerson =>
  async (businessId, account) => {
    const at = ports.clock.now();
    const personId = ports.newId('person');
    const membershipId = ports.newId('membership');
    const passwordHash = await hashPassword(account.password);
    await ports.database.registration(async (tx, enter) => {
      await insertPerson(
        tx,
        {
          id: personId,
          username: account.username,
          name: account.name,
          email: account.email,
          passwordHash,
          isOperator: false,
          isEmailVerified: true,
        },
        at,
      );
      await insertMembershipIndex(tx, { personId, businessId, membershipId });
      await enter(businessId);
      await insertMembership(
        tx,
        { id: membershipId, businessId, personId, role: account.role, permissions: [] },
        at,
      );
      const ctx: Context = {
        businessId,
        actor: { type: 'command_line', id: 'person:add' },
        permissions: null,
        language: 'en',
        requestId: null,
        origin: null,
        transaction: () => Promise.reject(new Error('already in one')),
        registration: () => Promise.reject(new Error('already in one')),
      };
      await ports.record(tx, ctx, {
        action: 'membership.added',
        subject: membershipId,
        after: { person_id: personId, role: account.role },
      });
    });
    return { personId };
  };
