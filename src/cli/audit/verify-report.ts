/** What `holdfast audit verify` found, for people and for machines. */
import type { AuditFinding, VerifiedChain } from '../../registry/audit/verify-chain.ts';
import type { Report } from '../report.ts';
import type { Session } from '../session.ts';
import { momentText } from '../times.ts';
import type { KeptCheckpoint } from './checkpoint-files.ts';

export interface AuditVerification {
  verdict: 'whole' | 'tampered';
  /** Number of rows that were read. */
  rows: number;
  /** The first and the last change that they are of; null when there are none. */
  fromSeq: number | null;
  throughSeq: number | null;
  /** Of the last row. */
  hash: string | null;
  /** Up to this change a checkpoint proves that nothing was rewritten or cut; null: nothing does. */
  provenSeq: number | null;
  findings: AuditFinding[];
  /** How many there are; `findings` has the first ones. */
  findingCount: number;
  checkpoints: { file: string; issuer: string; issuedAt: number; seq: number }[];
}

export function verificationOf(
  { rows, last, findings, findingCount }: VerifiedChain,
  afterSeq: number,
  checkpoints: readonly KeptCheckpoint[],
): AuditVerification {
  const isWhole = findingCount === 0;
  const covered = checkpoints.filter(({ seq }) => seq >= afterSeq).map(({ seq }) => seq);
  return {
    verdict: isWhole ? 'whole' : 'tampered',
    rows,
    fromSeq: last === undefined ? null : afterSeq + 1,
    throughSeq: last?.seq ?? null,
    hash: last?.hash ?? null,
    provenSeq: isWhole && covered.length > 0 ? Math.max(...covered) : null,
    findings,
    findingCount,
    checkpoints: checkpoints.map(({ file, iss, iat, seq }) => ({ file, issuer: iss, issuedAt: iat, seq })),
  };
}

export function describeVerification(verification: AuditVerification, report: Report): void {
  const { verdict, rows, fromSeq, throughSeq, hash, findings, findingCount, checkpoints } = verification;
  report.heading(verdict === 'whole' ? 'The audit is a whole chain' : 'The audit was tampered with');
  report.facts([
    ['rows', String(rows)],
    ['changes', throughSeq === null ? 'none' : `${fromSeq} to ${throughSeq}`],
    ['last hash', hash ?? undefined],
    ...checkpoints.map(({ issuer, issuedAt, seq }) => {
      return ['checkpoint', `up to change ${seq}, signed by ${issuer}, ${momentText(issuedAt)}`] as const;
    }),
  ]);
  if (findingCount > 0) describeFindings(findings, findingCount, report);
  else report.line(endText(verification));
}

function describeFindings(findings: readonly AuditFinding[], count: number, report: Report): void {
  report.heading(
    count === 1 ? 'What is wrong, by number of the change and position in it' : `What is wrong (${count})`,
  );
  for (const { kind, seq, ordinal, detail, expected, found } of findings) {
    report.line(`✗ ${seq}.${ordinal}  ${kind.replace('_', ' ')}: ${detail}`);
    if (expected !== undefined)
      report.facts([
        ['hash expected', expected],
        ['hash found', found],
      ]);
  }
  if (findings.length < count) report.line(`… and ${count - findings.length} more`);
}

/** What the chain by itself cannot tell. */
function endText({ provenSeq }: AuditVerification): string {
  const keep = 'keep checkpoints elsewhere (`holdfast audit checkpoint`)';
  return provenSeq === null
    ? `Whether all of it was rewritten, or its end cut off, cannot be told without a checkpoint: ${keep}.`
    : `Nothing up to change ${provenSeq} was rewritten or cut off. Of what came later that cannot be told: ${keep}.`;
}

/** A line that moves, at a terminal only. */
export function showProgress({ stderr, output }: Session): Disposable & { report: (rows: number) => void } {
  const isShown = stderr.isTTY === true && !output.isJson;
  let isLineBegun = false;
  return {
    report(rows) {
      if (!isShown) return;
      stderr.write(`\r${rows.toLocaleString('en')} rows verified`);
      isLineBegun = true;
    },
    [Symbol.dispose]() {
      if (isLineBegun) stderr.write('\n');
    },
  };
}
