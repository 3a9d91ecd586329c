/** Runs a server of the example as a program: settings from a file, ready in a line of JSON, gone with a signal. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:net';

type Listen = { host: string; port: number } | { path: string };

/** @param create makes the server of the settings in the file that the command line names */
export async function serveProgram<Settings>(
  create: (settings: Settings) => Server & { closeAllConnections(): void },
): Promise<void> {
  const [, script = '', file] = process.argv;
  if (file === undefined) throw new Error(`usage: node ${script} SETTINGS.json`);
  const settings = JSON.parse(await readFile(file, 'utf8')) as Settings & { listen: Listen };
  const server = create(settings);
  server.listen(settings.listen);
  await once(server, 'listening');
  process.stdout.write(`${JSON.stringify({ ready: settings.listen })}\n`);
  process.once('SIGTERM', () => {
    server.close();
    server.closeAllConnections();
  });
}
