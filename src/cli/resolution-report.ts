/** How a resolution is shown: metadata, Trust Chain, Trust Marks and expiry, or every attempt with its reason. */
import type { EntityIdentifier } from '../federation/identifiers.ts';
import { decodeJwt } from '../federation/signature.ts';
import type { Attempt } from '../federation/trust-chain/attempt.ts';
import type { ResolutionExplanation } from '../resolver/explanation.ts';
import type { Resolution } from '../resolver/resolution.ts';
import { CommandError } from './command-error.ts';
import { showExplanation } from './explanation-report.ts';
import type { Output } from './output.ts';
import { momentText, shortMoment } from './times.ts';

/** @throws CommandError refused when none of the Entity Types asked for is there */
export function showResolution(
  resolution: Resolution,
  entityTypes: readonly string[] | undefined,
  output: Output,
): void {
  const { subject, trustAnchor, expiresAt, trustChain, trustMarks, refusedTrustMarks } = resolution;
  const metadata = chosenMetadata(resolution, entityTypes);
  const chain = trustChain.map(describeStatement);
  const result = { resolved: true, subject, trustAnchor, expiresAt, metadata, chain, trustChain };
  output.result({ ...result, trustMarks, refusedTrustMarks }, (report) => {
    report.heading(subject);
    report.facts([
      ['state', 'resolved'],
      ['Trust Anchor', trustAnchor],
      ['good until', momentText(expiresAt)],
    ]);
    report.heading('Trust Chain');
    report.table(
      ['ISSUER', '', 'SUBJECT', 'ISSUED', 'EXPIRES', 'KEY'],
      chain.map(({ iss, sub, iat, exp, kid }) => [iss, '→', sub, shortMoment(iat), shortMoment(exp), kid]),
    );
    const marks = [
      ...trustMarks.map(({ trust_mark_type: type, issuer }) => ['✓', type, `by ${issuer}`]),
      ...refusedTrustMarks.map(({ trust_mark_type: type, reason }) => ['✗', type, reason]),
    ];
    if (marks.length > 0) {
      report.heading('Trust Marks');
      report.table([], marks);
    }
    report.heading('Metadata');
    report.json(metadata);
  });
}

/** The whole explanation for machines. @throws CommandError refused when none of the Entity Types asked for is there */
export function showExplainedResolution(
  explanation: ResolutionExplanation,
  entityTypes: readonly string[] | undefined,
  output: Output,
): void {
  const { resolution } = explanation;
  const metadata = resolution && chosenMetadata(resolution, entityTypes);
  output.result(explanation, (report) => {
    showExplanation(explanation, report);
    if (metadata === undefined) return;
    report.heading('Metadata');
    report.json(metadata);
  });
}

function chosenMetadata(
  { metadata }: Pick<Resolution, 'metadata'>,
  wanted: readonly string[] | undefined,
): Resolution['metadata'] {
  if (wanted === undefined) return metadata;
  const chosen = Object.entries(metadata).filter(([type]) => wanted.includes(type));
  if (chosen.length > 0) return Object.fromEntries(chosen);
  throw new CommandError('refused', `it resolves, but not as ${wanted.join(', ')}`, {
    hint: `Its Entity Types are ${Object.keys(metadata).join(', ') || 'none'}.`,
    code: 'entity_type_missing',
  });
}

interface StatementSummary {
  iss: string;
  sub: string;
  iat: number;
  exp: number;
  kid: string;
}

/** Every statement was validated before. */
function describeStatement(jwt: string): StatementSummary {
  const { header, claims } = decodeJwt(jwt);
  const { iss, sub, iat, exp } = claims;
  return { iss: String(iss), sub: String(sub), iat: Number(iat), exp: Number(exp), kid: String(header['kid']) };
}

export function showAttempts(subject: EntityIdentifier, attempts: readonly Attempt[], output: Output): void {
  output.result({ resolved: false, subject, attempts }, (report) => {
    attempts.forEach(({ chain, reason, section, at, message, retryable }, index) => {
      report.heading(`${index + 1}. ${chain.join(' → ')}`);
      report.facts([
        ['reason', `${reason} (OpenID Federation §${section})`],
        ['place', at],
        ['detail', message],
        ['retry', retryable === true ? 'may succeed later' : undefined],
      ]);
    });
  });
}
