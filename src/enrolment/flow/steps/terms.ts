/** What the organisation agreed to: the terms of the authority, in the version that counts. */
import { and, eq } from 'drizzle-orm';
import type { EnrolmentFlowStep } from '../../../storage/schema/enrolment-flow.ts';
import { organisationTerms } from '../../../storage/schema/organisation-proofs.ts';
import type { StepResult } from '../enrolment.ts';
import { failed, passed, type StepSubject } from '../step-subject.ts';

type TermsSettings = Extract<EnrolmentFlowStep, { step: 'terms' }>;

/** Terms that were accepted with the request count for the organisation from then on, unless it took that back since. */
export async function checkTerms(
  { context, organisation, enrolment }: StepSubject,
  { version, uri }: TermsSettings,
): Promise<StepResult> {
  const [recorded] =
    organisation === undefined
      ? []
      : await context.db
          .select({ acceptedBy: organisationTerms.acceptedBy, withdrawnAt: organisationTerms.withdrawnAt })
          .from(organisationTerms)
          .where(and(eq(organisationTerms.organisationId, organisation.id), eq(organisationTerms.version, version)));
  const withdrawnAt = recorded?.withdrawnAt ?? null;
  if (recorded !== undefined && withdrawnAt === null) {
    const { acceptedBy } = recorded;
    return passed('terms', {
      detail: `version ${version}, accepted by ${acceptedBy}`,
      evidence: { version, uri, acceptedBy },
    });
  }
  const { terms } = enrolment.request;
  if (terms?.version === version && (withdrawnAt === null || withdrawnAt < enrolment.createdAt)) {
    const { acceptedBy } = terms;
    return passed('terms', {
      detail: `version ${version}, accepted with the request by ${acceptedBy}`,
      evidence: { version, uri, acceptedBy },
      wouldChange: { terms: { version, acceptedBy } },
    });
  }
  const other = terms === null || terms.version === version ? '' : `; the request accepts version ${terms.version}`;
  const hasNot = withdrawnAt === null ? 'has not accepted' : 'took back that it accepted';
  const detail = `the organisation ${hasNot} version ${version} of ${uri}${other}`;
  return failed('terms', 'terms_not_accepted', detail, { version, uri });
}
