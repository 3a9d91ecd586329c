/** Keeps what a new round of automatic checks found out about an entity. */
import { eq } from 'drizzle-orm';
import type { JwkSet } from '../../federation/jwk-set.ts';
import { entities } from '../../storage/schema/entities.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { type CheckedEvidence, type Entity, entitySnapshot, entitySnapshotWithEvidence } from './entity.ts';
import { lockOpenEntity } from './lock-entity.ts';
import { readEntity, registeredKeysOf } from './read-entity.ts';
import { registerKeys } from './register-keys.ts';

/**
 * Stores new evidence. While an entity with a published configuration is pending, its registered keys are those of the
 * last verified configuration; afterwards a configuration alone never changes them. Evidence that says nothing new
 * changes nothing.
 * @param expectedVersion the version that was checked: what was found about it says nothing about a later one
 * @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition when the record is closed
 */
export async function recordChecks(
  context: ChangeContext,
  entityId: string,
  found: CheckedEvidence & { jwks: JwkSet | null },
  expectedVersion?: number,
): Promise<Entity> {
  const { authorityId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['admin', 'registrar', 'approver'], authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockOpenEntity(tx, entityId);
    const { jwks, ...evidence } = found;
    if (saysNothingNew(before, evidence)) return;
    requireVersion(before, expectedVersion);
    const after = { ...before, ...keepVerified(before, evidence), version: before.version + 1 };
    const snapshotBefore = entitySnapshot(before, await registeredKeysOf(tx, entityId));
    await tx.update(entities).set(after).where(eq(entities.id, entityId));
    if (before.state === 'pending' && before.enrolment === 'published' && jwks !== null) {
      await registerKeys(tx, before, jwks, context.now, 'enrolment');
    }
    record({
      action: 'entity.check',
      authorityId,
      subjectKind: 'entity',
      subjectId: entityId,
      before: snapshotBefore,
      after: entitySnapshotWithEvidence(after, await registeredKeysOf(tx, entityId)),
    });
  });
  return readEntity(context.db, context.actor, entityId);
}

function saysNothingNew(before: CheckedEvidence, found: CheckedEvidence): boolean {
  const outcomes = ({ checks }: CheckedEvidence) =>
    checks.map(({ check, outcome, reason = '' }) => `${check} ${outcome} ${reason}`).join();
  const isSame = (member: 'digest' | 'settingsDigest') => before.evidence[member] === found.evidence[member];
  return isSame('digest') && isSame('settingsDigest') && outcomes(before) === outcomes(found);
}

/** A configuration that could not be had does not take away what the last verified one said. */
function keepVerified(before: CheckedEvidence, found: CheckedEvidence): CheckedEvidence {
  if (found.verifiedEntityTypes !== null) return found;
  const { verifiedEntityTypes, verifiedIntermediate } = before;
  return { ...found, verifiedEntityTypes, verifiedIntermediate };
}
