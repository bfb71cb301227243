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
 * A connection of the business, with as much of its grant as may be shown: never a secret, never
 * whom else it serves.
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
    const isOver = connection.status === 'ended';
    return {
      id: connection.id,
      organizationId: connection.organization_id,
      status: !isOver && grant?.status === 'dead' ? 'needs_reconnecting' : connection.status,
      connectedAt: toDate(connection.created_at),
      endedAt: toDateOrNull(connection.ended_at),
      apiDomain: isOver ? null : (grant?.apiDomain ?? null),
      scopes: isOver ? [] : (grant?.scopes ?? '').split(' ').filter(Boolean),
      isOwnConsent: grant?.grantedBy === session.person.id,
      consentId: isOver || grant?.status !== 'active' ? null : (consent?.id ?? null),
      clientId: grant?.clientId ?? null,
    };
  };

/**
 * Ends the connection. History stays; another business under the same grant goes on as if nothing
 * had happened.
 */
export const disconnect =
  (ports: GrantPorts) =>
  async (ctx: Context, id: string): Promise<void> => {
    const at = ports.clock.now();
    const connection = await ports.database.registration(async (tx, enter) => {
      // First what is unique among businesses, which is undone where the connection turns out to be
      // none of theirs, or over.
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
