/** The verbs of enrolment as a process, ready to be tried by anybody. */
import { eq } from 'drizzle-orm';
import { runEnrolmentSteps, updateEnrolment } from '../../src/enrolment/flow/change-enrolment.ts';
import { approveEnrolment, cancelEnrolment, rejectEnrolment } from '../../src/enrolment/flow/decide-enrolment.ts';
import type { Enrolment } from '../../src/enrolment/flow/enrolment.ts';
import { listEnrolments, readEnrolment } from '../../src/enrolment/flow/read-enrolment.ts';
import type { EnrolmentTools } from '../../src/enrolment/flow/step-subject.ts';
import { submitDraft, submitEnrolment } from '../../src/enrolment/flow/submit-enrolment.ts';
import { FederationError } from '../../src/federation/errors.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { acceptTerms, listAcceptedTerms, listProvenDomains } from '../../src/registry/organisations/accept-terms.ts';
import { withdrawDomain, withdrawTerms } from '../../src/registry/organisations/withdraw-proofs.ts';
import type { Role } from '../../src/storage/schema/api-tokens.ts';
import { authorities } from '../../src/storage/schema/authorities.ts';
import type { EnrolmentFlowStep } from '../../src/storage/schema/enrolment-flow.ts';
import { enrolments } from '../../src/storage/schema/enrolments.ts';
import { organisationDomains, organisationTerms } from '../../src/storage/schema/organisation-proofs.ts';
import { type PublishedEntity, publishedEntity } from './enrolment.ts';
import { flowWith } from './enrolment-flow.ts';
import { enrolmentTools, newEnrolment } from './enrolment-tools.ts';
import { actor, NOW_DATE, type TestRegistry } from './registry.ts';
import type { Verb } from './registry-verbs.ts';

const KEEPERS: readonly Role[] = ['admin', 'registrar'];
const DECIDERS: readonly Role[] = ['admin', 'approver'];
const READERS: readonly Role[] = ['admin', 'registrar', 'approver', 'auditor'];
const REASON = 'a reason of the test';
const PAGE = { limit: 100 };

/** Nothing is where its configuration should be. */
const unpublished = () => Promise.reject(new FederationError('entity_not_found', 'there is no configuration'));

interface Submitted {
  entity: PublishedEntity;
  enrolment: Enrolment;
  tools: EnrolmentTools;
}

/** An enrolment that somebody else submitted, and that waits for approval unless it is a draft. */
async function submitted(registry: TestRegistry, authority: Authority, isDraft = false): Promise<Submitted> {
  const entity = await publishedEntity(authority);
  const tools = enrolmentTools(entity);
  const input = newEnrolment(await registry.organisation(authority), entity, { isDraft });
  const context = registry.context(actor({ id: 'submitter' }));
  return { entity, tools, enrolment: await submitEnrolment(context, input, tools) };
}

export const ENROLMENT_VERBS: Verb[] = [
  {
    ...{ name: 'readEnrolment', roles: READERS, scope: 'authority', audit: [] },
    prepare: async (registry, authority) => {
      const { enrolment } = await submitted(registry, authority);
      return ({ db, actor: by }) => readEnrolment(db, by, enrolment.id);
    },
  },
  {
    ...{ name: 'listEnrolments', roles: READERS, scope: 'authority', audit: [] },
    prepare: async (registry, authority) => {
      await submitted(registry, authority);
      return ({ db, actor: by }) => listEnrolments(db, by, { authorityId: authority.id }, PAGE);
    },
  },
  {
    ...{ name: 'submitEnrolment', roles: KEEPERS, scope: 'authority', audit: ['enrolment.submit', 'entity.add'] },
    prepare: async (registry, authority) => {
      const entity = await publishedEntity(authority);
      const input = newEnrolment(await registry.organisation(authority), entity);
      return (context) => submitEnrolment(context, input, enrolmentTools(entity));
    },
  },
  {
    ...{ name: 'submitDraft', roles: KEEPERS, scope: 'authority', audit: ['enrolment.submit', 'entity.add'] },
    prepare: async (registry, authority) => {
      const { enrolment, tools } = await submitted(registry, authority, true);
      return (context) => submitDraft(context, enrolment.id, tools);
    },
  },
  {
    ...{ name: 'updateEnrolment', roles: KEEPERS, scope: 'authority', audit: ['enrolment.update'] },
    prepare: async (registry, authority) => {
      const { enrolment, tools } = await submitted(registry, authority, true);
      return (context) => updateEnrolment(context, enrolment.id, { name: 'Renamed' }, enrolment.version, tools);
    },
  },
  {
    name: 'runEnrolmentSteps',
    roles: ['admin', 'registrar', 'approver'],
    scope: 'authority',
    audit: ['enrolment.check', 'entity.add'],
    prepare: async (registry, authority) => {
      const entity = await publishedEntity(authority);
      const silent = enrolmentTools(entity, { retrieve: unpublished });
      const input = newEnrolment(await registry.organisation(authority), entity);
      const { id } = await submitEnrolment(registry.context(), input, silent);
      return (context) => runEnrolmentSteps(context, id, undefined, enrolmentTools(entity));
    },
  },
  {
    name: 'approveEnrolment',
    roles: DECIDERS,
    scope: 'authority',
    audit: ['enrolment.approve'],
    prepare: async (registry, authority) => {
      const { enrolment, tools } = await submitted(registry, authority);
      const { id, version } = enrolment;
      // The first of two: the last one is followed by a change of its own.
      const flow = enrolment.flow.map((step) => (step.step === 'approvals' ? { ...step, count: 2 } : step));
      await registry.db.update(enrolments).set({ flow }).where(eq(enrolments.id, id));
      return (context) =>
        underFlow(registry, authority, flow, () => approveEnrolment(context, id, REASON, version, tools));
    },
  },
  {
    ...{ name: 'rejectEnrolment', roles: DECIDERS, scope: 'authority', audit: ['entity.reject', 'enrolment.reject'] },
    prepare: async (registry, authority) => {
      const { enrolment } = await submitted(registry, authority);
      return (context) => rejectEnrolment(context, enrolment.id, REASON, enrolment.version);
    },
  },
  {
    ...{ name: 'cancelEnrolment', roles: KEEPERS, scope: 'authority', audit: ['entity.reject', 'enrolment.cancel'] },
    prepare: async (registry, authority) => {
      const { enrolment } = await submitted(registry, authority);
      return (context) => cancelEnrolment(context, enrolment.id, REASON);
    },
  },
  {
    ...{ name: 'acceptTerms', roles: KEEPERS, scope: 'authority', audit: ['organisation.accept_terms'] },
    prepare: async (registry, authority) => {
      const { id } = await registry.organisation(authority);
      const terms = { step: 'terms' as const, version: '2027-1', uri: 'https://trust-anchor.example/terms' };
      const accepted = { version: terms.version, acceptedBy: 'Jo Doe' };
      return (context) => underFlow(registry, authority, flowWith([terms]), () => acceptTerms(context, id, accepted));
    },
  },
  {
    ...{ name: 'withdrawTerms', roles: KEEPERS, scope: 'authority', audit: ['organisation.withdraw_terms'] },
    prepare: async (registry, authority) => {
      const { id: organisationId } = await registry.organisation(authority);
      const accepted = { organisationId, version: '2027-1', acceptedBy: 'Jo Doe', acceptedAt: NOW_DATE };
      await registry.db
        .insert(organisationTerms)
        .values({ ...accepted, recordedBy: { kind: 'token', id: 'x', name: 'x' } });
      return (context) => withdrawTerms(context, organisationId, '2027-1', { reason: REASON });
    },
  },
  {
    ...{ name: 'withdrawDomain', roles: KEEPERS, scope: 'authority', audit: ['organisation.withdraw_domain'] },
    prepare: async (registry, authority) => {
      const { id: organisationId } = await registry.organisation(authority);
      const proof = { domain: 'partner.example', method: 'dns' as const, verifiedAt: NOW_DATE, evidence: {} };
      await registry.db.insert(organisationDomains).values({ ...proof, organisationId });
      return (context) => withdrawDomain(context, organisationId, 'partner.example', { reason: REASON });
    },
  },
  {
    ...{ name: 'listAcceptedTerms', roles: READERS, scope: 'authority', audit: [] },
    prepare: async (registry, authority) => {
      const { id } = await registry.organisation(authority);
      return ({ db, actor: by }) => listAcceptedTerms(db, by, id);
    },
  },
  {
    ...{ name: 'listProvenDomains', roles: READERS, scope: 'authority', audit: [] },
    prepare: async (registry, authority) => {
      const { id } = await registry.organisation(authority);
      return ({ db, actor: by }) => listProvenDomains(db, by, id);
    },
  },
];

/** While something is done the authority has a flow; other verbs are tried without, under the same authority. */
async function underFlow<T>(
  { db }: TestRegistry,
  { id }: Authority,
  flow: readonly EnrolmentFlowStep[],
  work: () => Promise<T>,
): Promise<T> {
  const setFlow = (enrolmentFlow: EnrolmentFlowStep[] | null) =>
    db.update(authorities).set({ enrolmentFlow }).where(eq(authorities.id, id));
  await setFlow([...flow]);
  try {
    return await work();
  } finally {
    await setFlow(null);
  }
}
