/** `holdfast serve` */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import type { Service, ServiceSummary } from '../start.ts';
import { DEFAULT_SERVICE_URL } from './api-client.ts';
import { dataDirFile } from './data-dir.ts';
import { example } from './help-text.ts';
import { asTyped, HOLDFAST } from './invocation.ts';
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import type { Report } from './report.ts';
import { openSession } from './session.ts';
import { stopSignal } from './stop-signal.ts';
import type { Surroundings } from './surroundings.ts';

const DESCRIPTION = `Run the service. Without settings: on http://localhost:8080, with an embedded database and its keys in ./data.`;

const SETTINGS = `
Settings are environment variables, the main ones:
  PORT, HOLDFAST_LISTEN      port and address to listen on (8080, 127.0.0.1)
  HOLDFAST_BASE_URL          where others reach it, and the Entity Identifier of the first authority
  HOLDFAST_DATA_DIR          embedded database, master key, first-admin token (./data)
  HOLDFAST_DATABASE_URL      a PostgreSQL instead of the embedded database
  HOLDFAST_MASTER_KEY_FILE   the key over all private keys; keep a copy of it apart from the backups
  HOLDFAST_KEY_CUSTODY       where new keys are made: sealed (in the database), or pkcs11 (in a token)
  HOLDFAST_TLS_CERT_FILE     serve https with this certificate and HOLDFAST_TLS_KEY_FILE
  HOLDFAST_MTLS_PORT         a second port that asks for client certificates: those of enforcement points
  HOLDFAST_ADMISSION_SOCKETS UNIX sockets of enforcement points: ID=/PATH, separated by commas
  HOLDFAST_CANARY_CERT_FILE  a suspended participant's certificate that every gateway must refuse, with …_KEY_FILE
  HOLDFAST_OUTBOUND_ALLOW    private hosts and networks where participants may be
  HOLDFAST_EXTRA_CA_FILE     certificate authorities that participants' servers may have besides the public ones
  HOLDFAST_RESOLVE_ANONYMOUS what anonymous callers get about strangers: refuse, background, on-demand
  HOLDFAST_SMTP_URL          relay for reminders to contacts, with HOLDFAST_MAIL_FROM
  HOLDFAST_TRUSTED_PROXIES   proxies whose X-Forwarded-For is believed
  HOLDFAST_UNDERSTOOD_CLAIMS claims that this federation defined, which crit may name
  HOLDFAST_RESOLVE_*         what a resolution may spend: time, statements, bytes, depth; quotas of its callers
The README explains all of them.`;

/**
 * How much the heap may grow between two full collections. V8 would let it double, which the many small strings of a
 * large federation turn into hundreds of megabytes.
 */
const HEAP_GROWING_PERCENT = 30;

export function addServeCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('serve')
    .summary('run the service')
    .description(DESCRIPTION)
    .addHelpText('after', SETTINGS)
    .addHelpText('after', example('HOLDFAST_BASE_URL=https://fed.example.org holdfast serve'));
  command.action(async () => {
    setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
    const { loadConfig } = await import('../config/config.ts');
    const settings = loadConfig(surroundings.env);
    const { startService } = await import('../start.ts');
    const stopped = stopSignal();
    await using service = await startService(settings);
    const { output, stdout, stderr } = openSession(command, surroundings);
    if (output.isJson)
      stdout.write(printable(`${JSON.stringify({ ready: { url: service.url, ...service.summary } })}\n`));
    else await describeStart(service, output, stderr.isTTY === true);
    service.log.serviceStopping(await stopped);
  });
}

/** The first-admin token itself is shown at a terminal only: elsewhere output is kept and read by others. */
async function describeStart({ url, summary }: Service, output: Output, isTerminal: boolean): Promise<void> {
  const { firstAdminTokenFile: file } = summary;
  // Somebody may have claimed it already, and then the file is gone.
  const token = isTerminal && file !== undefined ? await readFile(file, 'utf8').catch(() => undefined) : undefined;
  output.explain((report) => {
    report.heading('Holdfast is running');
    report.facts([
      ['service', url],
      ['listening on', summary.listening],
      ['API', `${url}/docs`],
      ['database', summary.database],
      ['master key', masterKeyText(summary)],
      ...summary.authorities.map(
        ({ name, entityIdentifier }) => ['authority', `${entityIdentifier} (${name})`] as const,
      ),
    ]);
    if (file !== undefined) describeFirstAdmin(report, url, { file, token });
    for (const note of summary.notes) report.line(`note: ${asTyped(note)}`);
  });
}

function masterKeyText({ masterKeyFile, isMasterKeyNew }: ServiceSummary): string {
  if (masterKeyFile === undefined) return 'from HOLDFAST_MASTER_KEY';
  return isMasterKeyNew ? `${masterKeyFile} (new: keep a copy apart from the backups of the database)` : masterKeyFile;
}

function describeFirstAdmin(report: Report, url: string, { file, token }: { file: string; token?: string }): void {
  const fromFile = file === path.resolve(dataDirFile({}, 'first-admin-token')) ? '' : ` --token-file ${file}`;
  report.heading('There is no admin yet. Within 15 minutes, in another terminal here:');
  if (url !== DEFAULT_SERVICE_URL) report.line(`  export HOLDFAST_URL=${url}`);
  report.line(`  export HOLDFAST_TOKEN=$(${HOLDFAST} token claim --name me${fromFile})`);
  report.line(`The single-use token for that is in ${file}${token === undefined ? '' : `:\n  ${token.trim()}`}`);
}
