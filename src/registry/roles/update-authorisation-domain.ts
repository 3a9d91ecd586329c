/** Changes what an authorisation domain is called and says of itself. */
import { eq } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { authorisationDomains } from '../../storage/schema/authorisation-domains.ts';
import { ACCESS } from '../access.ts';
import { authorise, notFound } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { withUniqueName } from './add-authorisation-domain.ts';
import {
  type AuthorisationDomain,
  type AuthorisationDomainFields,
  authorisationDomainSnapshot,
  readAuthorisationDomain,
} from './authorisation-domain.ts';

/**
 * What is so already changes nothing.
 * @throws RegistryError not_found, role_missing, version_mismatch, authorisation_domain_exists
 */
export async function updateAuthorisationDomain(
  context: ChangeContext,
  domainId: string,
  changes: Partial<AuthorisationDomainFields>,
  expectedVersion?: number,
): Promise<AuthorisationDomain> {
  const { authorityId } = await readAuthorisationDomain(context.db, context.actor, domainId);
  authorise(context.actor, ACCESS.updateAuthorisationDomain.roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const [before] = await tx
      .select()
      .from(authorisationDomains)
      .where(eq(authorisationDomains.id, domainId))
      .for('no key update');
    if (before === undefined) throw notFound('authorisation domain', domainId);
    requireVersion(before, expectedVersion);
    const after = { ...withChanges(before, changes), version: before.version + 1 };
    if (jsonEquals(authorisationDomainSnapshot(before), authorisationDomainSnapshot(after))) return;
    await withUniqueName(after.name, () =>
      tx.update(authorisationDomains).set(after).where(eq(authorisationDomains.id, domainId)),
    );
    record({
      action: 'authorisation_domain.update',
      authorityId,
      subjectKind: 'authorisation_domain',
      subjectId: domainId,
      before: authorisationDomainSnapshot(before),
      after: authorisationDomainSnapshot(after),
    });
  });
  return readAuthorisationDomain(context.db, context.actor, domainId);
}
