/** Adds an authorisation domain to an authority. */
import { authorisationDomains } from '../../storage/schema/authorisation-domains.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import {
  type AuthorisationDomain,
  type AuthorisationDomainFields,
  authorisationDomainSnapshot,
  readAuthorisationDomain,
} from './authorisation-domain.ts';

export interface NewAuthorisationDomain extends Partial<AuthorisationDomainFields> {
  name: string;
}

/** @throws RegistryError not_found, role_missing, authorisation_domain_exists, idempotency_key_reused */
export async function addAuthorisationDomain(
  context: ChangeContext,
  authorityId: string,
  { name, description = null }: NewAuthorisationDomain,
  idempotency?: Idempotency,
): Promise<AuthorisationDomain> {
  authorise(context.actor, ACCESS.addAuthorisationDomain.roles, authorityId);
  await readAuthority(context.db, context.actor, authorityId);
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (domainId) => {
      const domain = { id: domainId, authorityId, name, description, version: 1, createdAt: context.now };
      await withUniqueName(name, () => tx.insert(authorisationDomains).values(domain));
      record({
        action: 'authorisation_domain.add',
        authorityId,
        subjectKind: 'authorisation_domain',
        subjectId: domainId,
        after: authorisationDomainSnapshot(domain),
      });
    });
  });
  return readAuthorisationDomain(context.db, context.actor, id);
}

/** @throws RegistryError authorisation_domain_exists */
export async function withUniqueName(name: string, write: () => PromiseLike<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isUniqueViolation(error, 'authorisation_domains_name')) throw error;
    const message = `this authority has an authorisation domain called ${name} already`;
    throw new RegistryError('authorisation_domain_exists', message, {}, { cause: error });
  }
}
