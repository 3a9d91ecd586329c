/** How an entity is shown: its state, its keys, and what the checks found. */
import type { EntityRecord, ListedEntityRecord } from '../api-records.ts';
import { domainText } from '../domain-text.ts';
import { asTyped } from '../invocation.ts';
import { reasonText } from '../reason-text.ts';
import type { Report } from '../report.ts';
import { momentText, shortMoment } from '../times.ts';

export const ENTITY_COLUMNS = ['ID', 'ENTITY', 'STATE', 'EFFECTIVE', 'PLACE', 'TYPES', 'CHECKS'];

export function entityRow(entity: ListedEntityRecord): string[] {
  const { id, entityIdentifier, state, effectiveState, mode, environment, entityTypes } = entity;
  return [
    id,
    entityIdentifier,
    state,
    effectiveState,
    `${mode}, ${environment}`,
    entityTypes.join(', '),
    checksWord(entity),
  ];
}

function checksWord(entity: ListedEntityRecord): string {
  const counts = ['failed', 'skipped'].flatMap((outcome) => {
    const count = entity.checks.filter((check) => check.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  const word = counts.join(', ') || 'passed';
  return entity.checksOutdated ? `${word}, outdated` : word;
}

/** The checks that failed, each with its reason; what was skipped because of them is no failure of its own. */
export function failedChecks({ checks }: ListedEntityRecord): string[] {
  return checks
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ check, reason }) => (reason === undefined ? check : `${check} (${reason})`));
}

/** Why the recorded checks do not speak for the entity as it is; undefined if they do. */
export function checkDoubts(entity: ListedEntityRecord): string | undefined {
  const failed = failedChecks(entity);
  if (failed.length === 0 && !entity.checksOutdated) return undefined;
  const found = failed.length > 0 ? `failed ${failed.join(', ')}` : 'were made before settings changed';
  return `the recorded checks ${found}: \`holdfast entity check ${entity.entityIdentifier}\` looks again`;
}

export function describeEntity(report: Report, entity: EntityRecord): void {
  report.heading(entity.entityIdentifier);
  report.facts([
    ['id', entity.id],
    ['name', entity.name ?? undefined],
    ['reads as', domainText(entity.internationalDomain)],
    ['state', entity.state],
    ['counts as', entity.effectiveState === entity.state ? undefined : `${entity.effectiveState}, as its organisation`],
    ['since', momentText(entity.stateChangedAt)],
    ['permissions', permissionsText(entity)],
    ['reason', reasonText(entity)],
    ['suspended until', entity.suspendedUntil ? momentText(entity.suspendedUntil) : undefined],
    ['possible', entity.allowedTransitions.join(', ')],
    ['organisation', entity.organisationId],
    ['on behalf of', principalText(entity)],
    ['place', `${entity.mode}, ${entity.environment}`],
    ['authority', entity.authorityId],
    ['types', entity.entityTypes.join(', ')],
    ['roles', (entity.roles ?? []).map(roleText).join(', ')],
    ['intermediate', entity.intermediate ? 'yes' : undefined],
    ['enrolment', entity.enrolment === 'handed_over' ? 'keys handed over' : entity.enrolment],
    ['earlier record', entity.previousId ?? undefined],
    ['version', String(entity.version)],
    ...entity.jwks.keys.map(({ kid, alg, kty }) => ['key', `${kid} (${alg ?? kty})`] as const),
  ]);
  describeFindings(report, entity);
  describeChecks(report, entity);
  describeEvidence(report, entity);
  describeStatement(report, entity);
}

const PERMISSION_WORDS = {
  newAuthorization: 'new authorization',
  useExisting: 'use of consent given before',
  withdrawConsent: 'withdrawal of consent',
} as const;

/** What may be done with it while it counts as it does. */
function permissionsText({ permissions }: EntityRecord): string | undefined {
  if (permissions == null) return undefined;
  const words = Object.entries(PERMISSION_WORDS).filter(([name]) => permissions[name] === true);
  return words.map(([, word]) => word).join(', ') || 'none';
}

/** Whom it acts for, or would. */
function principalText({ onBehalfOf, delegation }: EntityRecord): string | undefined {
  if (onBehalfOf === null) return undefined;
  const stands = delegation == null || delegation.state === 'active';
  return stands ? onBehalfOf : `${onBehalfOf}, which does not stand: ${delegation.state}`;
}

function roleText({ role, validFrom, validTo }: NonNullable<EntityRecord['roles']>[number]): string {
  const from = validFrom === null ? '' : ` from ${shortMoment(validFrom)}`;
  return `${role}${from}${validTo === null ? '' : ` until ${shortMoment(validTo)}`}`;
}

/** What somebody should look at; nothing while all is well. */
function describeFindings(report: Report, { findings }: EntityRecord): void {
  if (findings.length === 0) return;
  report.heading('Findings');
  report.table(
    [],
    findings.map(({ kind, since, detail }) => [kind, `since ${momentText(since)}`, detail]),
  );
}

export function describeChecks(report: Report, { checks, checksOutdated }: EntityRecord): void {
  report.heading(
    checksOutdated ? asTyped('Checks, made before settings changed: run `holdfast entity check`') : 'Checks',
  );
  report.table(
    [],
    checks.map(({ check, outcome, reason, detail }) => [
      outcome,
      check,
      reason === undefined ? detail : `${reason}: ${detail}`,
    ]),
  );
}

/** What a person looks at; `--json` shows all of the evidence, the claims among it. */
function describeEvidence(report: Report, { evidence }: EntityRecord): void {
  const moment = (name: string): string | undefined => {
    const value = evidence[name];
    return typeof value === 'string' || typeof value === 'number' ? momentText(value) : undefined;
  };
  const text = (name: string): string | undefined => {
    const value = evidence[name];
    return typeof value === 'string' ? value : undefined;
  };
  report.heading('Evidence');
  report.facts([
    ['fetched from', text('url')],
    ['fetched', moment('fetchedAt')],
    ['issued', moment('iat')],
    ['expires', moment('exp')],
    ['signed by', text('kid')],
    ['digest', text('digest')],
    ['challenge', text('challenge')],
    ['compared', text('outOfBandCheck')],
  ]);
}

/** What the superior adds to the Subordinate Statement. */
function describeStatement(report: Report, entity: EntityRecord): void {
  const { metadata, metadataPolicy, constraints, additionalClaims, crit, statementLifetimeSeconds } = entity;
  const parts: [string, unknown][] = [
    ['Metadata set by the superior', metadata],
    ['Metadata policy of its own', metadataPolicy],
    ['Constraints of its own', constraints ?? {}],
    ['Additional claims', additionalClaims],
    ['Critical claims', crit],
  ];
  for (const [title, value] of parts) {
    if (Object.keys(value as object).length === 0) continue;
    report.heading(title);
    report.json(value);
  }
  if (statementLifetimeSeconds === null) return;
  report.heading('Statement');
  report.facts([['lifetime', `${statementLifetimeSeconds} s`]]);
}
