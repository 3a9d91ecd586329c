/** The credentials that a change of an organisation or entity may touch, for whoever computes effects. One query. */
import { and, asc, eq } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { credentials } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { effectiveState } from '../states.ts';
import { nameOf } from './credential.ts';
import { credentialState, isOpen } from './credential-standing.ts';

export interface CredentialBelow {
  id: string;
  /** What people know it by: usage, and the certificate's subject or the kid. */
  name: string;
  entityId: string;
  /** The one that counts: its own while its entity and organisation are active, else theirs. */
  state: string;
}

/** Those that may count yet, in the order of their ids; actors are the caller's business. */
export async function credentialsBelow(
  db: Db | Tx,
  above: { organisationId: string } | { entityId: string },
  now: Date,
): Promise<CredentialBelow[]> {
  const isBelow =
    'entityId' in above ? eq(entities.id, above.entityId) : eq(entities.organisationId, above.organisationId);
  const rows = await db
    .select({
      id: credentials.id,
      entityId: credentials.entityId,
      usage: credentials.usage,
      subject: credentials.subject,
      kid: credentials.kid,
      life: {
        state: credentials.state,
        notBefore: credentials.notBefore,
        notAfter: credentials.notAfter,
        supersededAt: credentials.supersededAt,
      },
      ownerState: entities.state,
      organisationState: organisations.state,
    })
    .from(credentials)
    .innerJoin(entities, eq(entities.id, credentials.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(and(isBelow, isOpen(now)))
    .orderBy(asc(credentials.id));
  return rows.map(({ id, entityId, usage, life, ownerState, organisationState, ...named }) => {
    const entityState = effectiveState(ownerState, organisationState);
    const state = entityState === 'active' ? credentialState(life, now) : entityState;
    return { id, entityId, name: `${usage} ${nameOf(named)}`, state };
  });
}
