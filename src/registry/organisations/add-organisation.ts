/** Adds an organisation to an authority's registry; it is pending until somebody approves it. */
import { organisations } from '../../storage/schema/organisations.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { type Organisation, type OrganisationFields, organisationSnapshot } from './organisation.ts';
import { readOrganisation } from './read-organisation.ts';

/** @throws RegistryError not_found, role_missing, idempotency_key_reused */
export async function addOrganisation(
  context: ChangeContext,
  authorityId: string,
  fields: OrganisationFields,
  idempotency?: Idempotency,
): Promise<Organisation> {
  authorise(context.actor, ['admin', 'registrar'], authorityId);
  await readAuthority(context.db, context.actor, authorityId);
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (organisationId) => {
      const organisation: Organisation = {
        id: organisationId,
        authorityId,
        ...fields,
        state: 'pending',
        stateReason: null,
        stateChangedAt: context.now,
        version: 1,
        createdAt: context.now,
      };
      await tx.insert(organisations).values(organisation);
      record({
        action: 'organisation.add',
        authorityId,
        subjectKind: 'organisation',
        subjectId: organisationId,
        after: organisationSnapshot(organisation),
      });
    });
  });
  return readOrganisation(context.db, context.actor, id);
}
