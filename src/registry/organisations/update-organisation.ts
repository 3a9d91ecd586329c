/** Changes what is known about an organisation; its state changes by transitions only. */
import { eq } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { lockOrganisation } from './lock-organisation.ts';
import { type Organisation, type OrganisationFields, organisationSnapshot } from './organisation.ts';
import { readOrganisation } from './read-organisation.ts';

/** What is so already changes nothing. @throws RegistryError not_found, role_missing, version_mismatch */
export async function updateOrganisation(
  context: ChangeContext,
  organisationId: string,
  fields: Partial<OrganisationFields>,
  expectedVersion?: number,
): Promise<Organisation> {
  const { authorityId } = await readOrganisation(context.db, context.actor, organisationId);
  authorise(context.actor, ['admin', 'registrar'], authorityId);
  return changeRegistry(context, async (tx, record) => {
    const before = await lockOrganisation(tx, organisationId);
    requireVersion(before, expectedVersion);
    const after: Organisation = { ...withChanges(before, fields), version: before.version + 1 };
    if (jsonEquals(organisationSnapshot(before), organisationSnapshot(after))) return before;
    await tx.update(organisations).set(after).where(eq(organisations.id, organisationId));
    record({
      action: 'organisation.update',
      authorityId,
      subjectKind: 'organisation',
      subjectId: organisationId,
      before: organisationSnapshot(before),
      after: organisationSnapshot(after),
    });
    return after;
  });
}
