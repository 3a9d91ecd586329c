/** `holdfast decisions verify`: walks the chains of the log of decisions in the database. */
import type { Command } from 'commander';
import type { VerifiedDecisions } from '../../registry/decisions/verify-decisions.ts';
import { showProgress } from '../audit/verify-report.ts';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import { openOwnDatabase } from '../own-database.ts';
import type { Report } from '../report.ts';
import { openSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

const DESCRIPTION = `Find out whether anybody changed, removed or inserted rows of the log of decisions, and which: in the
database of the service. An embedded database only while the service is stopped. Exits with 1 if anything is wrong.`;

export function addDecisionsVerifyCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('verify')
    .summary('find out whether the log was tampered with')
    .description(DESCRIPTION)
    .addHelpText('after', example('holdfast decisions verify'));
  command.action(async () => {
    const { verifyDecisions } = await import('../../registry/decisions/verify-decisions.ts');
    const session = openSession(command, surroundings);
    await using database = await openOwnDatabase(session);
    using progress = showProgress(session);
    const verified = await verifyDecisions(database.db, progress.report);
    const verdict = verified.findingCount === 0 ? 'whole' : 'tampered';
    session.output.result({ verdict, ...verified }, (report) => describe(verified, report));
    if (verdict === 'whole') return;
    throw new CommandError('refused', 'the log of decisions was tampered with', { code: 'decisions_tampered' });
  });
}

function describe({ chains, rows, prunedRows, findings, findingCount }: VerifiedDecisions, report: Report): void {
  report.heading(findingCount === 0 ? 'The chains of decisions are whole' : 'The log of decisions was tampered with');
  report.facts([
    ['runs of nodes', String(chains)],
    ['rows', String(rows)],
    ['pruned before', prunedRows === 0 ? undefined : `${prunedRows} rows`],
  ]);
  if (findingCount === 0) {
    report.line('Whoever owns the database can rewrite a chain whole, or remove it; that leaves no trace in it.');
    return;
  }
  report.heading(`What is wrong (${findingCount})`);
  for (const { kind, chain, ordinal, detail } of findings) report.line(`✗ ${chain} ${ordinal}  ${kind}: ${detail}`);
  if (findings.length < findingCount) report.line(`… and ${findingCount - findings.length} more`);
}
