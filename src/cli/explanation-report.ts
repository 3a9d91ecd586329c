/** How an explained resolution is shown: the graph as a tree, then what each chain made of the metadata. */
import { olderNameText } from '../federation/older-drafts.ts';
import type {
  EntityReference,
  ExplainedEntity,
  ExplainedRefusal,
  ExplainedStatement,
} from '../resolver/explained-graph.ts';
import type { ExplainedChain, ResolutionExplanation } from '../resolver/explanation.ts';
import type { Mender } from '../resolver/who-can-mend.ts';
import { showMetadataSteps } from './metadata-report.ts';
import type { Report } from './report.ts';
import { momentText, shortMoment } from './times.ts';
import { wrappedLines } from './wrapped-lines.ts';

/** Enough of a thumbprint to tell keys apart; machines get the whole. */
const SHOWN_KID_LENGTH = 8;

const MARKS = { accepted: '✓', refused: '✗', not_asked: '·' } as const;
const VERDICTS = { accepted: 'accepted', refused: 'refused', not_asked: 'not asked for' } as const;

const ROLES: Readonly<Record<Mender['role'], string>> = {
  subject: 'the subject',
  superior: 'a superior',
  trust_anchor: 'the Trust Anchor',
  trust_mark_issuer: 'the issuer of the Trust Mark',
  caller: 'whoever asks',
  network: 'the network',
};

export function showExplanation(explanation: ResolutionExplanation, report: Report): void {
  const { subject, trustAnchors, verdict, resolution, graph, chains } = explanation;
  report.heading(subject);
  report.facts([
    ['state', verdict],
    [trustAnchors.length === 1 ? 'Trust Anchor' : 'Trust Anchors', resolution?.trustAnchor ?? trustAnchors.join(' ')],
    ['good until', resolution && momentText(resolution.expiresAt)],
  ]);
  report.heading('What was found, from the subject up');
  showEntity(graph, report, { first: '', rest: '' });
  chains.forEach((chain, index) => {
    showChain(chain, index, report);
  });
  if (resolution === undefined) return;
  showTrustMarks(resolution, report);
}

/** Margins of an entity in the tree: before its name, and before all that stands below. */
interface Margins {
  first: string;
  rest: string;
}

function showEntity(shown: ExplainedEntity, report: Report, margins: Margins, statement?: ExplainedStatement): void {
  const { entity, isTrustAnchor, configuration, ends, superiors, omittedSuperiors = 0 } = shown;
  const isLeaf = superiors.length === 0 && omittedSuperiors === 0;
  const margin = margins.rest + (isLeaf ? '  ' : '│ ');
  write(report, isTrustAnchor ? `${entity}  (Trust Anchor)` : entity, margins.first, margin);
  if (statement !== undefined) showStatement(statement, 'statement', report, margin);
  showStatement(configuration, 'configuration', report, margin);
  for (const end of ends) showRefusal(end, report, margin);
  superiors.forEach((link, index) => {
    const isLast = index === superiors.length - 1 && omittedSuperiors === 0;
    const below = {
      first: `${margins.rest}${isLast ? '└─ ' : '├─ '}`,
      rest: `${margins.rest}${isLast ? '   ' : '│  '}`,
    };
    if ('reference' in link.superior) showReference(link.superior, link.statement, report, below);
    else showEntity(link.superior, report, below, link.statement);
  });
  if (omittedSuperiors > 0) report.line(`${margins.rest}└─ and ${omittedSuperiors} more, which are not shown`);
}

function showReference(
  { reference, isLoop }: EntityReference,
  statement: ExplainedStatement,
  report: Report,
  { first, rest }: Margins,
): void {
  write(report, `${reference}  (${isLoop ? 'a loop: it stands below' : 'shown elsewhere'})`, first, `${rest}  `);
  showStatement(statement, 'statement', report, `${rest}  `);
}

function showStatement(
  { verdict, iat, exp, kid, refusals, olderNames = [] }: ExplainedStatement,
  label: 'statement' | 'configuration',
  report: Report,
  margin: string,
): void {
  const times = iat === undefined || exp === undefined ? [] : [`${minute(iat)} to ${minute(exp)}`];
  const key = kid === undefined ? [] : [`key ${shortKid(kid)}`];
  const parts = [`${MARKS[verdict]} ${label.padEnd('configuration'.length)}`, ...times, ...key, VERDICTS[verdict]];
  write(report, parts.join('  '), margin, `${margin}  `);
  for (const refusal of refusals) showRefusal(refusal, report, margin);
  for (const name of olderNames) write(report, `! ${olderNameText(name)}`, `${margin}  `, `${margin}    `);
}

function showRefusal(refusal: ExplainedRefusal, report: Report, margin: string): void {
  const { reason, section, at, message, whoCanMend } = refusal;
  const place = at === '' ? '' : ` at ${at}`;
  write(report, `✗ ${reason} (§${section})${place}`, `${margin}  `, `${margin}    `);
  write(report, message, `${margin}    `, `${margin}    `);
  write(report, `who can mend it: ${menderText(whoCanMend)}`, `${margin}    `, `${margin}    `);
}

export function menderText({ role, entity, advice }: Mender): string {
  if (entity === undefined) return `${ROLES[role]}: ${advice}`;
  return role === 'network'
    ? `${ROLES[role]}, or the server of ${entity}: ${advice}`
    : `${entity} (${ROLES[role]}): ${advice}`;
}

function showChain(
  { entities, verdict, expiresAt, refusal, metadata }: ExplainedChain,
  index: number,
  report: Report,
): void {
  report.heading(`Chain ${index + 1}: ${verdict}`);
  write(report, entities.join(' → '), '', '  ');
  if (refusal !== undefined) write(report, `${refusal.reason} (§${refusal.section}) at ${refusal.at}`, '✗ ', '  ');
  if (expiresAt !== undefined) report.line(`good until ${momentText(expiresAt)}`);
  if (verdict !== 'valid') showMetadataSteps(metadata, report, '  ');
}

function showTrustMarks(
  { trustMarks, refusedTrustMarks }: NonNullable<ResolutionExplanation['resolution']>,
  report: Report,
): void {
  if (trustMarks.length + refusedTrustMarks.length === 0) return;
  report.heading('Trust Marks');
  for (const { trust_mark_type: type, issuer, expiresAt } of trustMarks) {
    const end = Number.isFinite(expiresAt) ? `, good until ${momentText(expiresAt)}` : '';
    write(report, `✓ ${type}, by ${issuer}${end}`, '', '  ');
  }
  for (const mark of refusedTrustMarks) {
    write(report, `✗ ${mark.trust_mark_type}`, '', '  ');
    showRefusal(mark, report, '');
  }
}

function write(report: Report, text: string, first: string, rest: string): void {
  for (const line of wrappedLines(text, first, rest)) report.line(line);
}

function minute(moment: number): string {
  return shortMoment(moment).replace(/:\d\dZ$/, 'Z');
}

function shortKid(kid: string): string {
  return kid.length <= SHOWN_KID_LENGTH + 1 ? kid : `${kid.slice(0, SHOWN_KID_LENGTH)}…`;
}
