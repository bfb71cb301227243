import { setOrganization } from '../businesses/index.ts';
import type { Context, Session } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import { toDate, toDateOrNull } from '../platform/db/query.ts';
import { endIfUnused } from './bind-organization.ts';
import { endConnection, findConnectionById } from './connection.store.ts';
import { findConsentOfGrant } from './consent/consent.store.ts';
import { findGrantOf } from './grant.store.ts';
import type { GrantPorts } from './make-grant.ts';

export type ConnectionStatus = {
  id: string;
  organizationId: string;
  status: 'active' | 'needs_reconnecting' | 'ended';
  connectedAt: Date;
  endedAt: Date | null;
  apiDomain: string | null;
  scopes: string[];
  isOwnConsent: boolean;
  consentId: string | null;
  clientId: string | null;
};

type StatusPorts = Pick<GrantPorts, 'database'>;

/**
 * Reads a connection of the business, with as much of its grant as may be shown: never a secret,
 * never whom else it serves.
 */
export const connectionStatus =
  (ports: StatusPorts) =>
  async (ctx: Context, session: Session, id: string): Promise<ConnectionStatus> => {
    const { connection, consent } = await ctx.transaction(async (tx) => {
      const found = await findConnectionById(tx, id);
      return {
        connection: found,
        consent: found && (await findConsentOfGrant(tx, found.grant_id, session.person.id)),
      };
    });
    if (!connection) throw new AppError('not_found');
    const grant = await ports.database.platform((tx) => findGrantOf(tx, connection.grant_id));
    return {
      id: connection.id,
      organizationId: connection.organization_id,
      connectedAt: toDate(connection.created_at),
      endedAt: toDateOrNull(connection.ended_at),
      isOwnConsent: grant?.grantedBy === session.person.id,
      clientId: grant?.clientId ?? null,
      ...(connection.status === 'ended'
        ? { status: connection.status, apiDomain: null, scopes: [], consentId: null }
        : livingStatus(connection.status, grant, consent?.id ?? null)),
    };
  };

/** What is shown of a connection that has not ended, as far as its grant lives. */
const livingStatus = (
  status: ConnectionStatus['status'],
  grant: Awaited<ReturnType<typeof findGrantOf>>,
  consentId: string | null,
): Pick<ConnectionStatus, 'status' | 'apiDomain' | 'scopes' | 'consentId'> => ({
  status: grant?.status === 'dead' ? 'needs_reconnecting' : status,
  apiDomain: grant?.apiDomain ?? null,
  scopes: (grant?.scopes ?? '').split(' ').filter(Boolean),
  consentId: grant?.status === 'active' ? consentId : null,
});

/** Ends a connection. History stays, and other businesses under the same grant go on. */
export const disconnect =
  (ports: GrantPorts) =>
  async (ctx: Context, id: string): Promise<void> => {
    const at = ports.clock.now();
    const connection = await ports.database.registration(async (tx, enter) => {
      // First what is unique among businesses; it is undone if the connection turns out to be none
      // of theirs, or has ended.
      await setOrganization(tx, ctx.businessId, null, at);
      await enter(ctx.businessId);
      const found = await findConnectionById(tx, id);
      if (!found) throw new AppError('not_found');
      if (found.status === 'ended') throw new AppError('wrong_state', { state: 'ended' });
      await endConnection(tx, id, at);
      await ports.record(tx, ctx, {
        action: 'connection.ended',
        subject: id,
        before: { organization_id: found.organization_id, grant_id: found.grant_id },
      });
      return found;
    });
    await endIfUnused(ports, ctx, connection.grant_id);
  };
