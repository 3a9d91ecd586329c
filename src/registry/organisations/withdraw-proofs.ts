/** Takes back what an organisation proved or accepted: a domain that is not its own any more, terms that it left. */
import { and, asc, eq, inArray, isNull } from 'drizzle-orm';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { entities } from '../../storage/schema/entities.ts';
import { entityFindings } from '../../storage/schema/entity-findings.ts';
import { organisationDomains, organisationTerms } from '../../storage/schema/organisation-proofs.ts';
import { ACCESS } from '../access.ts';
import { authorise, despiteSuspension, notFound } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import type { FindingKind } from '../entities/keys/findings.ts';
import type { ProvenDomain } from './accept-terms.ts';
import { lockOrganisation } from './lock-organisation.ts';
import { readOrganisation } from './read-organisation.ts';

/** An entity that was let in on what was taken back. */
export interface DependentEntity {
  id: string;
  entityIdentifier: string;
}

export interface Withdrawal {
  reason: string;
  /** Does all of it, and takes it back. */
  isDryRun?: boolean | undefined;
}

/**
 * All proofs of one domain. Open enrolments have to prove it anew; entities that are let in stay, and where the authority
 * asks for domains each that no other proof covers has a finding, until somebody proves it again.
 * @returns those
 * @throws RegistryError not_found, role_missing
 */
export async function withdrawDomain(
  context: ChangeContext,
  organisationId: string,
  domain: string,
  { reason, isDryRun }: Withdrawal,
): Promise<DependentEntity[]> {
  const { authorityId, legalName } = await readOrganisation(context.db, context.actor, organisationId);
  authorise(despiteSuspension(context.actor), ACCESS.withdrawOrganisationDomain.roles, authorityId, organisationId);
  return await changeRegistry(
    context,
    async (tx, record) => {
      await lockOrganisation(tx, organisationId);
      const taken = await tx
        .delete(organisationDomains)
        .where(and(eq(organisationDomains.organisationId, organisationId), eq(organisationDomains.domain, domain)))
        .returning();
      if (taken.length === 0) throw notFound('proven domain', domain);
      const left = await provenDomains(tx, organisationId);
      const dependent = (await askedForDomains(tx, authorityId, organisationId)).filter(
        ({ entityIdentifier }) => isProven(entityIdentifier, taken) && !isProven(entityIdentifier, left),
      );
      const detail = `control of ${domain} counts no more: ${reason}; have it proven again with an enrolment, or decide about it`;
      await flag(tx, dependent, detail, context.now);
      record({
        action: 'organisation.withdraw_domain',
        authorityId,
        subjectKind: 'organisation',
        subjectId: organisationId,
        before: { legalName, domain, methods: taken.map(({ method }) => method) },
        after: { legalName, domain: null, entities: dependent.map(({ entityIdentifier }) => entityIdentifier) },
        reason,
      });
      return dependent;
    },
    { isDryRun },
  );
}

const KIND = 'domain_unproven' satisfies FindingKind;

/** A statement of SQL takes 65,535 parameters. */
const ROWS_AT_A_TIME = 4000;

/** What stands already keeps its beginning. */
async function flag(tx: Tx, dependent: readonly DependentEntity[], detail: string, since: Date): Promise<void> {
  for (let done = 0; done < dependent.length; done += ROWS_AT_A_TIME) {
    const rows = dependent
      .slice(done, done + ROWS_AT_A_TIME)
      .map(({ id: entityId }) => ({ entityId, kind: KIND, detail, since }));
    const target = [entityFindings.entityId, entityFindings.kind];
    await tx.insert(entityFindings).values(rows).onConflictDoUpdate({ target, set: { detail } });
  }
}

/** Findings about domains that count again are gone. */
export async function cureDomainFindings(tx: Tx, organisationId: string): Promise<void> {
  const flagged = await tx
    .select({ id: entities.id, entityIdentifier: entities.entityIdentifier })
    .from(entityFindings)
    .innerJoin(entities, eq(entities.id, entityFindings.entityId))
    .where(and(eq(entities.organisationId, organisationId), eq(entityFindings.kind, KIND)));
  if (flagged.length === 0) return;
  const proven = await provenDomains(tx, organisationId);
  const cured = flagged.filter(({ entityIdentifier }) => isProven(entityIdentifier, proven)).map(({ id }) => id);
  if (cured.length === 0) return;
  await tx.delete(entityFindings).where(and(isAnyOf(entityFindings.entityId, cured), eq(entityFindings.kind, KIND)));
}

/** A file answers for its host alone; a DNS record for the domain and all below it, on every port. */
function isProven(entityIdentifier: string, domains: readonly Pick<ProvenDomain, 'domain' | 'method'>[]): boolean {
  const { host, hostname } = new URL(entityIdentifier);
  return domains.some(({ domain, method }) => {
    return domain === host || (method === 'dns' && (hostname === domain || hostname.endsWith(`.${domain}`)));
  });
}

async function provenDomains(tx: Tx, organisationId: string): Promise<ProvenDomain[]> {
  return await tx.select().from(organisationDomains).where(eq(organisationDomains.organisationId, organisationId));
}

async function askedForDomains(tx: Tx, authorityId: string, organisationId: string): Promise<DependentEntity[]> {
  const [authority] = await tx
    .select({ flow: authorities.enrolmentFlow })
    .from(authorities)
    .where(eq(authorities.id, authorityId));
  const isAsked = authority?.flow?.some(({ step }) => step === 'domain') === true;
  return isAsked ? await openEntities(tx, organisationId) : [];
}

async function openEntities(tx: Tx, organisationId: string): Promise<DependentEntity[]> {
  return await tx
    .select({ id: entities.id, entityIdentifier: entities.entityIdentifier })
    .from(entities)
    .where(and(eq(entities.organisationId, organisationId), inArray(entities.state, ['active', 'suspended'])))
    .orderBy(asc(entities.id));
}

/**
 * Acceptance of one version. Open enrolments fail their step about terms; where that version is asked for, the
 * organisation is reminded and flagged as one whose terms lapsed.
 * @returns whether the authority asks for that version
 * @throws RegistryError not_found (also when it was taken back before), role_missing
 */
export async function withdrawTerms(
  context: ChangeContext,
  organisationId: string,
  version: string,
  { reason, isDryRun }: Withdrawal,
): Promise<boolean> {
  const { authorityId, legalName } = await readOrganisation(context.db, context.actor, organisationId);
  authorise(despiteSuspension(context.actor), ACCESS.withdrawTerms.roles, authorityId, organisationId);
  const { kind, id, name } = context.actor;
  return await changeRegistry(
    context,
    async (tx, record) => {
      await lockOrganisation(tx, organisationId);
      const [taken] = await tx
        .update(organisationTerms)
        .set({ withdrawnAt: context.now, withdrawnBy: { kind, id, name }, withdrawalReason: reason })
        .where(
          and(
            eq(organisationTerms.organisationId, organisationId),
            eq(organisationTerms.version, version),
            isNull(organisationTerms.withdrawnAt),
          ),
        )
        .returning();
      if (taken === undefined) throw notFound('acceptance of the terms', version);
      const [authority] = await tx
        .select({ flow: authorities.enrolmentFlow })
        .from(authorities)
        .where(eq(authorities.id, authorityId));
      record({
        action: 'organisation.withdraw_terms',
        authorityId,
        subjectKind: 'organisation',
        subjectId: organisationId,
        before: { legalName, terms: { version, acceptedBy: taken.acceptedBy } },
        after: { legalName, terms: null },
        reason,
      });
      return authority?.flow?.some((step) => step.step === 'terms' && step.version === version) === true;
    },
    { isDryRun },
  );
}
