/** Records that an organisation accepted the terms of its authority, and reads what was accepted and proven. */
import { and, asc, eq } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { organisationDomains, organisationTerms } from '../../storage/schema/organisation-proofs.ts';
import { type Actor, authorise, despiteSuspension } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { cureFindings } from '../life-cycle/directory-findings.ts';
import { invalidField } from '../registry-error.ts';
import { lockOrganisation } from './lock-organisation.ts';
import { readOrganisation } from './read-organisation.ts';

export type AcceptedTerms = typeof organisationTerms.$inferSelect;
export type ProvenDomain = typeof organisationDomains.$inferSelect;

/** Those that its enrolments ask for; earlier ones are accepted no more. What was accepted once stays so until it is taken back. */
export async function acceptTerms(
  context: ChangeContext,
  organisationId: string,
  { version, acceptedBy }: { version: string; acceptedBy: string },
): Promise<AcceptedTerms> {
  const { authorityId, legalName } = await readOrganisation(context.db, context.actor, organisationId);
  authorise(
    despiteSuspension(context.actor),
    ['admin', 'registrar', 'organisation-admin'],
    authorityId,
    organisationId,
  );
  const { kind, id, name } = context.actor;
  return await changeRegistry(context, async (tx, record) => {
    const [authority] = await tx
      .select({ flow: authorities.enrolmentFlow })
      .from(authorities)
      .where(eq(authorities.id, authorityId));
    const terms = authority?.flow?.find((step) => step.step === 'terms');
    if (terms === undefined) throw invalidField('/version', 'is of terms that this authority does not ask for');
    if (terms.version !== version) throw invalidField('/version', `is not the one that counts: ${terms.version}`);
    await lockOrganisation(tx, organisationId);
    const isSame = and(eq(organisationTerms.organisationId, organisationId), eq(organisationTerms.version, version));
    const [before] = await tx.select().from(organisationTerms).where(isSame);
    if (before !== undefined && before.withdrawnAt === null) return before;
    const accepted = {
      ...{ organisationId, version, acceptedBy, acceptedAt: context.now, recordedBy: { kind, id, name } },
      ...{ withdrawnAt: null, withdrawnBy: null, withdrawalReason: null },
    };
    await tx
      .insert(organisationTerms)
      .values(accepted)
      .onConflictDoUpdate({ target: [organisationTerms.organisationId, organisationTerms.version], set: accepted });
    await cureFindings(tx, organisationId, 'terms_lapsed');
    record({
      action: 'organisation.accept_terms',
      authorityId,
      subjectKind: 'organisation',
      subjectId: organisationId,
      after: { legalName, terms: { version, uri: terms.uri, acceptedBy } },
    });
    return accepted;
  });
}

/** Oldest first. @throws RegistryError not_found, role_missing */
export async function listAcceptedTerms(db: Db, actor: Actor, organisationId: string): Promise<AcceptedTerms[]> {
  await readOrganisation(db, actor, organisationId);
  return await db
    .select()
    .from(organisationTerms)
    .where(eq(organisationTerms.organisationId, organisationId))
    .orderBy(asc(organisationTerms.acceptedAt), asc(organisationTerms.version));
}

/** By name. @throws RegistryError not_found, role_missing */
export async function listProvenDomains(db: Db, actor: Actor, organisationId: string): Promise<ProvenDomain[]> {
  await readOrganisation(db, actor, organisationId);
  return await db
    .select()
    .from(organisationDomains)
    .where(eq(organisationDomains.organisationId, organisationId))
    .orderBy(asc(organisationDomains.domain), asc(organisationDomains.method));
}
