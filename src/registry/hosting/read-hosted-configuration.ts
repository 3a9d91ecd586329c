/** Reads what is served at a place, with the keys to sign it and what is signed already. */
import { and, eq, isNull } from 'drizzle-orm';
import type { Jwk } from '../../federation/jwk-set.ts';
import type { Db } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { entities } from '../../storage/schema/entities.ts';
import { hostedEntities } from '../../storage/schema/hosted-entities.ts';
import { issuedStatements } from '../../storage/schema/issued-statements.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import type { EntityRow } from '../entities/entity.ts';
import { registeredKeysOf } from '../entities/read-entity.ts';
import type { StoredStatement } from '../entities/read-subordinate.ts';
import { effectiveState } from '../states.ts';
import type { HostedEntity, HostedKey } from './hosted-entity.ts';
import { hostedKeysOf } from './hosted-key.ts';

export interface HostedRecord {
  entity: Pick<EntityRow, 'id' | 'authorityId' | 'entityIdentifier' | 'state' | 'version'>;
  /** Whether the entity and its organisation are both active: only then anything is published. */
  isActive: boolean;
  hosted: HostedEntity;
  /** In the order of their creation. */
  keys: HostedKey[];
  /** Keys that the Subordinate Statement lists. */
  registered: Jwk[];
  /** Entity Identifier of its superior. */
  superior: string;
  /** The configuration as last signed, by whichever node. */
  stored: StoredStatement | undefined;
}

/** @param location host and path, see `authorityLocation` */
export async function readHostedAt(db: Db, location: string): Promise<HostedRecord | undefined> {
  const { id, authorityId, entityIdentifier, state, version } = entities;
  const [found] = await db
    .select({
      entity: { id, authorityId, entityIdentifier, state, version },
      organisationState: organisations.state,
      hosted: hostedEntities,
      superior: authorities.entityIdentifier,
      stored: issuedStatements,
    })
    .from(hostedEntities)
    .innerJoin(entities, eq(id, hostedEntities.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .innerJoin(authorities, eq(authorities.id, authorityId))
    .leftJoin(
      issuedStatements,
      and(
        eq(issuedStatements.authorityId, authorityId),
        eq(issuedStatements.kind, 'hosted-configuration'),
        eq(issuedStatements.subject, entityIdentifier),
      ),
    )
    .where(and(eq(hostedEntities.location, location), isNull(hostedEntities.endedAt)));
  if (found === undefined) return undefined;
  const { organisationState, stored, ...record } = found;
  return {
    ...record,
    isActive: effectiveState(record.entity.state, organisationState) === 'active',
    keys: await hostedKeysOf(db, record.entity.id),
    registered: (await registeredKeysOf(db, record.entity.id)).map(({ jwk }) => jwk),
    stored: stored ?? undefined,
  };
}
