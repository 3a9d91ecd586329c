/** `holdfast migrate` */
import type { Command } from 'commander';
import { example } from './help-text.ts';
import { openSession } from './session.ts';
import type { Surroundings } from './surroundings.ts';

export function addMigrateCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('migrate')
    .summary('bring the database up to date')
    .description(
      'Bring the schema of the database up to date: all that is missing or nothing. Nodes of the version before go on\n' +
        'to work meanwhile. The embedded database is migrated by `serve` itself.',
    )
    .addHelpText('after', example('HOLDFAST_DATABASE_URL=postgresql://holdfast@db/holdfast holdfast migrate'));
  command.action(async () => {
    const { loadConfig } = await import('../config/config.ts');
    const { connectDatabase } = await import('../storage/connect.ts');
    const { migrateDatabase } = await import('../storage/migrate.ts');
    const { config, secrets } = loadConfig(surroundings.env);
    const { databaseUrl: url } = secrets;
    await using database = await connectDatabase(url === undefined ? { dataDir: config.dataDir } : { url });
    const { applied } = await migrateDatabase(database);
    openSession(command, surroundings).output.result({ applied }, (report) => {
      if (applied.length === 0) report.line('The database is up to date.');
      for (const migration of applied) report.line(`applied ${migration}`);
    });
  });
}
