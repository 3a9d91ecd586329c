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
      'Bring the schema of the database up to date: all that is missing or nothing. Stop nodes of the version before\n' +
        'first, unless the CHANGELOG lets them go on. Makes the role `holdfast_service_DATABASE` as well, as which the\n' +
        'service works: it cannot change the audit. With HOLDFAST_DATABASE_OWNER_URL that login migrates, and the one of\n' +
        'HOLDFAST_DATABASE_URL gets the role. The embedded database is migrated by `serve` itself.',
    )
    .addHelpText('after', example('HOLDFAST_DATABASE_URL=postgresql://holdfast@db/holdfast holdfast migrate'));
  command.action(async () => {
    const { loadConfig } = await import('../config/config.ts');
    const { connectDatabase } = await import('../storage/connect.ts');
    const { migrateDatabase } = await import('../storage/migrate.ts');
    const { config, secrets } = loadConfig(surroundings.env);
    const { databaseUrl, databaseOwnerUrl } = secrets;
    const url = databaseOwnerUrl ?? databaseUrl;
    await using database = await connectDatabase(
      url === undefined ? { dataDir: config.dataDir } : { url, role: 'owner' },
    );
    const serviceLogin = databaseOwnerUrl && loginOf(databaseUrl);
    const { output, stderr } = openSession(command, surroundings);
    const { applied } = await migrateDatabase(database, {
      ...(serviceLogin === undefined ? {} : { serviceLogin }),
      onChained: (rows) => stderr.write(`${rows.toLocaleString('en')} rows of the audit chained\n`),
    });
    output.result({ applied }, (report) => {
      if (applied.length === 0) report.line('The database is up to date.');
      for (const migration of applied) report.line(`applied ${migration}`);
    });
  });
}

/** The user that a database URL names; whoever connects without naming one is not told apart. */
function loginOf(url: string | undefined): string | undefined {
  const user = url === undefined ? undefined : (URL.parse(url)?.username ?? undefined);
  return user === undefined || user === '' ? undefined : decodeURIComponent(user);
}
