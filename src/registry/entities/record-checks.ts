/** Keeps what a new round of automatic checks found out about an entity. */
import { eq } from 'drizzle-orm';
import type { JwkSet } from '../../federation/jwk-set.ts';
import type { Tx } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import {
  type CheckedEvidence,
  type Entity,
  type EntityRow,
  entitySnapshot,
  entitySnapshotWithEvidence,
  entityTypes,
  isIntermediate,
  type RegisteredKey,
} from './entity.ts';
import { type Finding, setFindings } from './keys/findings.ts';
import { liveKeysOf } from './keys/keys-changeable.ts';
import { lockOpenEntity } from './lock-entity.ts';
import { readEntity, registeredKeysOf } from './read-entity.ts';
import { registerKeys } from './register-keys.ts';

export interface RecordChecksOptions {
  /** The version that was checked: what was found about it says nothing about a later one. */
  expectedVersion?: number | undefined;
  /**
   * Nobody looks at what was found: the record keeps the Entity Types that it has, and other ones are a finding. Without
   * it those that the configuration declares become those of the record.
   */
  keepsTypes?: boolean;
}

/**
 * Stores new evidence. While an entity with a published configuration is pending, its registered keys are those of the
 * last verified configuration; afterwards a configuration alone never changes them, and one whose signer is no longer
 * registered is no evidence. Evidence that says nothing new changes nothing.
 * @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition when the record is closed
 */
export async function recordChecks(
  context: ChangeContext,
  entityId: string,
  found: CheckedEvidence & { jwks: JwkSet | null },
  { expectedVersion, keepsTypes = false }: RecordChecksOptions = {},
): Promise<Entity> {
  const { authorityId, organisationId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.recheckEntity.roles, authorityId, organisationId, entityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockOpenEntity(tx, entityId);
    const { jwks, ...checked } = found;
    const keys = await registeredKeysOf(tx, entityId);
    if (!isSignedByLiveKey(before, checked, keys, context.now)) return;
    const evidence = keepVerified(before, checked, keepsTypes);
    await noteTypes(tx, { ...before, ...evidence }, checked, context.now);
    if (saysNothingNew(before, evidence)) return;
    requireVersion(before, expectedVersion);
    const after = { ...before, ...evidence, version: before.version + 1 };
    await tx.update(entities).set(after).where(eq(entities.id, entityId));
    if (before.state === 'pending' && before.enrolment !== 'handed_over' && jwks !== null) {
      await registerKeys(tx, before, jwks, context.now, 'enrolment');
    }
    record({
      action: 'entity.check',
      authorityId,
      subjectKind: 'entity',
      subjectId: entityId,
      before: entitySnapshot(before, keys),
      after: entitySnapshotWithEvidence(after, await registeredKeysOf(tx, entityId)),
    });
  });
  return readEntity(context.db, context.actor, entityId);
}

/** A key may have been removed, or marked as compromised, while the checks ran. */
function isSignedByLiveKey(
  { state }: EntityRow,
  { evidence }: CheckedEvidence,
  keys: readonly RegisteredKey[],
  now: Date,
): boolean {
  if (state === 'pending' || evidence['kid'] === undefined) return true;
  return liveKeysOf({ keys }, now).some(({ kid }) => kid === evidence['kid']);
}

function saysNothingNew(before: CheckedEvidence, found: CheckedEvidence): boolean {
  const outcomes = ({ checks }: CheckedEvidence) =>
    checks.map(({ check, outcome, reason = '' }) => `${check} ${outcome} ${reason}`).join();
  const isSame = (member: 'digest' | 'settingsDigest' | 'kid') => before.evidence[member] === found.evidence[member];
  const isSameEvidence = isSame('digest') && isSame('settingsDigest') && isSame('kid');
  return isSameEvidence && outcomes(before) === outcomes(found) && typesOf(before) === typesOf(found);
}

/** A configuration that could not be had does not take away what the last verified one said. */
function keepVerified(before: CheckedEvidence, found: CheckedEvidence, keepsTypes: boolean): CheckedEvidence {
  if (found.verifiedEntityTypes !== null && !keepsTypes) return found;
  const { verifiedEntityTypes, verifiedIntermediate } = before;
  return { ...found, verifiedEntityTypes, verifiedIntermediate };
}

type Types = Pick<CheckedEvidence, 'verifiedEntityTypes' | 'verifiedIntermediate'>;

function typesOf({ verifiedEntityTypes, verifiedIntermediate }: Types): string {
  return JSON.stringify([verifiedEntityTypes?.toSorted(), verifiedIntermediate]);
}

/** Raises, or takes back, that the configuration declares other types than the record has. */
async function noteTypes(tx: Tx, entity: EntityRow, found: Types, now: Date): Promise<void> {
  if (found.verifiedEntityTypes === null) return;
  const [declared, kept] = [found.verifiedEntityTypes, entityTypes(entity)];
  const added = declared.filter((type) => !kept.includes(type));
  const dropped = kept.filter((type) => !declared.includes(type));
  const isOtherwise = (found.verifiedIntermediate ?? isIntermediate(entity)) !== isIntermediate(entity);
  const becomes = isIntermediate(entity) ? 'makes it no Intermediate any more' : 'makes it an Intermediate';
  const news = [
    ...(added.length > 0 ? [`declares ${added.join(', ')} as well`] : []),
    ...(dropped.length > 0 ? [`no longer declares ${dropped.join(', ')}`] : []),
    ...(isOtherwise ? [becomes] : []),
  ];
  const detail = `its configuration ${news.join(', ')}: run the checks to have the record say so (under an enrolment flow an admin does), or ask the partner`;
  const findings: Finding[] = news.length === 0 ? [] : [{ kind: 'types_changed', detail }];
  await setFindings(tx, entity.id, ['types_changed'], findings, now);
}
