import type { From } from '../access/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { BooksUser } from '../ports/books-people.ts';
import { asPerson, memberLookup } from './find-member.ts';
import { endOfStep, type PairingPorts, refuse } from './pairing-ports.ts';
import { decidePairing, keepMembership, type Pairing } from './pairing.store.ts';
import { sha256 } from '../platform/digest.ts';

/** A pairing whose question was answered. */
type Answered = { ctx: Context; pairing: Pairing; zohoUser: BooksUser; from: From };

/**
 * Answers "did you open this panel just now?" A yes makes the session ready for the panel; a no
 * ends the pairing and is recorded in the audit log.
 */
export const approvePairing =
  (ports: PairingPorts) =>
  async (
    browserSecret: string,
    isMine: boolean,
    from: From,
  ): Promise<{ state: 'approved' | 'refused' }> => {
    const pairing = await ports.database.platform((tx) =>
      decidePairing(tx, sha256(browserSecret), isMine ? 'approved' : 'refused', ports.clock.now()),
    );
    if (!pairing?.businessId || !pairing.zohoUser) throw new AppError('pairing_expired');
    const ctx = { ...ports.contextOf(pairing.businessId), origin: from.address };
    const answered = { ctx, pairing, zohoUser: pairing.zohoUser, from };
    if (isMine) await approve(ports, answered);
    else await deny(ports, answered);
    return { state: isMine ? 'approved' : 'refused' };
  };

async function deny(ports: PairingPorts, answered: Answered): Promise<void> {
  const { ctx, pairing, zohoUser } = answered;
  await refuse(ports, pairing.id, 'zoho_sign_in_denied');
  await ctx.transaction((tx) =>
    ports.record(tx, ctx, {
      action: 'session.denied_by_zoho_user',
      subject: pairing.id,
      after: { zoho_user_id: zohoUser.id, ...addressesOf(answered) },
    }),
  );
}

/** Finds or makes the member, and keeps it for the panel to fetch its session. */
async function approve(ports: PairingPorts, answered: Answered): Promise<void> {
  const { ctx, pairing, zohoUser } = answered;
  const member = await memberLookup(ports)(ctx, zohoUser).catch(async (error: unknown) => {
    await refuse(ports, pairing.id, error instanceof AppError ? error.code : 'books_unavailable');
    throw error;
  });
  await ctx.transaction((tx) =>
    ports.record(tx, asPerson(ctx, member.membershipId, member.person), {
      action: 'session.by_zoho',
      subject: member.membershipId,
      after: {
        zoho_user_id: zohoUser.id,
        zoho_role: zohoUser.role,
        organization_id: pairing.organizationId,
        ...addressesOf(answered),
      },
    }),
  );
  await ports.database.platform((tx) =>
    keepMembership(tx, pairing.id, member.membershipId, endOfStep(ports)),
  );
}

const addressesOf = ({ pairing, from }: Answered) => ({
  panel_address: pairing.panelAddress,
  approval_address: from.address,
});
