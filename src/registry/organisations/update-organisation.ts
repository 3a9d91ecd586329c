/** Changes what is known about an organisation; its state changes by transitions only, its contacts one by one. */
import { eq } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { lockOrganisation } from './lock-organisation.ts';
import {
  type Organisation,
  type OrganisationFields,
  type OrganisationRow,
  organisationSnapshot,
} from './organisation.ts';
import { requireParentAbove } from './parent-organisation.ts';
import { readOrganisation } from './read-organisation.ts';
import { inputRegistration, withUniqueRegistration } from './registration.ts';

/**
 * What is so already changes nothing.
 * @throws RegistryError not_found, role_missing, version_mismatch, validation_failed, organisation_exists
 */
export async function updateOrganisation(
  context: ChangeContext,
  organisationId: string,
  changes: Partial<OrganisationFields>,
  expectedVersion?: number,
): Promise<Organisation> {
  const { authorityId } = await readOrganisation(context.db, context.actor, organisationId);
  authorise(context.actor, ['admin', 'registrar'], authorityId);
  const { registration, ...fields } = changes;
  const registered = registration === undefined ? {} : inputRegistration(registration);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockOrganisation(tx, organisationId);
    requireVersion(before, expectedVersion);
    const after: OrganisationRow = {
      ...withChanges(before, fields),
      ...registered,
      version: before.version + 1,
    };
    if (jsonEquals(organisationSnapshot(before), organisationSnapshot(after))) return;
    if (after.parentId !== null && after.parentId !== before.parentId) {
      await requireParentAbove(tx, before, after.parentId);
    }
    await withUniqueRegistration(tx, after, (writer) =>
      writer.update(organisations).set(after).where(eq(organisations.id, organisationId)),
    );
    record({
      action: 'organisation.update',
      authorityId,
      subjectKind: 'organisation',
      subjectId: organisationId,
      before: organisationSnapshot(before),
      after: organisationSnapshot(after),
    });
  });
  return readOrganisation(context.db, context.actor, organisationId);
}
