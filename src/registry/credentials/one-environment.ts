/** One Entity Identifier has credentials that may count in one mode and environment only (sandbox and production apart). */
import { and, asc, eq, inArray, ne, or, type SQL } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { credentials, transportKeys } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import type { EntityRow } from '../entities/entity.ts';
import { RegistryError } from '../registry-error.ts';
import { LIVE_STATES } from '../states.ts';
import type { CredentialRow } from './credential.ts';
import { isOpen } from './credential-standing.ts';

/**
 * Holds all open records of the identifier until the transaction ends, of other authorities too, so that no two of them
 * get their first credentials at once; and who has the transport key of a new credential that may take it over. To be taken
 * before any other lock, since who holds one must not wait for the rest.
 */
export async function lockRecordsOf(
  tx: Tx,
  entityIdentifier: string,
  { usage, possession, spkiSha256 }: Pick<CredentialRow, 'usage' | 'possession' | 'spkiSha256'>,
): Promise<void> {
  const holder = tx
    .select({ id: transportKeys.entityId })
    .from(transportKeys)
    .where(eq(transportKeys.spkiSha256, spkiSha256));
  const takesOver = usage === 'transport' && possession === 'proven';
  await tx
    .select({ id: entities.id })
    .from(entities)
    .where(or(isOpenRecordOf(entityIdentifier), takesOver ? inArray(entities.id, holder) : undefined))
    .orderBy(asc(entities.id))
    .for('update');
}

/** Works on records that are held by lockRecordsOf. @throws RegistryError wrong_environment */
export async function requireOneEnvironment(tx: Tx, entity: EntityRow, now: Date): Promise<void> {
  const { entityIdentifier, mode, environment } = entity;
  const [elsewhere] = await tx
    .select({ id: credentials.id })
    .from(credentials)
    .innerJoin(entities, eq(entities.id, credentials.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(
      and(
        isOpenRecordOf(entityIdentifier),
        inArray(organisations.state, [...LIVE_STATES]),
        or(ne(entities.mode, mode), ne(credentials.environment, environment)),
        isOpen(now),
      ),
    )
    .limit(1);
  if (elsewhere === undefined) return;
  const message =
    `${entityIdentifier} has credentials in another environment than ${environment} (${mode}); ` +
    'enrol another Entity Identifier for this one, or revoke those first';
  throw new RegistryError('wrong_environment', message);
}

function isOpenRecordOf(entityIdentifier: string): SQL | undefined {
  return and(eq(entities.entityIdentifier, entityIdentifier), inArray(entities.state, [...LIVE_STATES]));
}

/** @throws RegistryError wrong_environment unless a credential is meant for where its entity is */
export function requireEnvironmentOf(
  { environment, mode, entityIdentifier }: EntityRow,
  meant: string | undefined,
): void {
  if (meant === undefined || meant === environment) return;
  const message = `${entityIdentifier} is in ${environment} (${mode}); what is for ${meant} needs an Entity Identifier of its own`;
  throw new RegistryError('wrong_environment', message, { environment });
}

/**
 * Of an entity whose record is locked and about to say another mode or environment.
 * @throws RegistryError wrong_environment while it has credentials that may count
 */
export async function requireNoOpenCredentials(tx: Tx, entityId: string, now: Date): Promise<void> {
  const open = await tx
    .select({ id: credentials.id, environment: credentials.environment })
    .from(credentials)
    .where(and(eq(credentials.entityId, entityId), isOpen(now)))
    .orderBy(asc(credentials.id));
  const [first] = open;
  if (first === undefined) return;
  const message = `it has ${open.length} credential(s) for ${first.environment}; revoke them first, and add others afterwards`;
  throw new RegistryError('wrong_environment', message, { credentials: open.map(({ id }) => id) });
}
