/** `holdfast decisions prune`: deletes old rows of the log of decisions, as the owner of the tables. */
import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import { type Moment, moment } from '../moment-option.ts';
import { openOwnDatabase } from '../own-database.ts';
import { openSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

const DESCRIPTION = `Delete what was decided before a moment. The service itself cannot: this works as the owner of the
tables, by HOLDFAST_DATABASE_OWNER_URL or HOLDFAST_DATABASE_URL. An embedded database only while the service is stopped.
The chains stay verifiable: each notes up to where it was pruned.`;

export function addDecisionsPruneCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('prune')
    .summary('delete old rows')
    .description(DESCRIPTION)
    .requiredOption('--before <moment>', 'delete what was decided before, such as 2027-01-15', moment)
    .addHelpText('after', example('holdfast decisions prune --before 2026-10-01'));
  command.action(async ({ before: { at } }: { before: Moment }) => {
    const { pruneDecisions } = await import('../../registry/decisions/prune-decisions.ts');
    const session = openSession(command, surroundings);
    if (at === null) throw new CommandError('usage', '--before needs a moment');
    await using database = await openOwnDatabase(session, 'owner');
    const rows = await database.asOwner((db) => pruneDecisions(db, new Date(at)));
    session.output.result({ before: at, rows }, (report) => report.line(`${rows} rows deleted`));
  });
}
