/** `holdfast token claim`: the way in for the first admin. */
import { access } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { newTokenSchema } from '../api-records.ts';
import { CommandError } from '../command-error.ts';
import { dataDirFile } from '../data-dir.ts';
import { example } from '../help-text.ts';
import { nameOf, readTextInput } from '../input-file.ts';
import { positiveInteger, repeatable } from '../option-values.ts';
import { openServiceSessionAs } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { momentText } from '../times.ts';

interface ClaimOptions {
  name: string;
  role?: string[];
  expiresInDays?: number;
  tokenFile?: string;
}

const DESCRIPTION = `Become the first admin. A service without an admin keeps a single-use token in its data directory, good for
15 minutes after its start. This command exchanges it for a named admin token, whose secret it prints once, alone on
standard output. Run it where the data directory is (HOLDFAST_DATA_DIR, or ./data).`;

export function addTokenClaimCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('claim')
    .summary('become the first admin')
    .description(DESCRIPTION)
    .requiredOption('--name <name>', 'who you are; shown in the audit trail')
    .option('--role <role>', 'a role besides admin, such as registrar; may be repeated', repeatable)
    .option('--expires-in-days <days>', 'life of the token (default: 90)', positiveInteger)
    .option('--token-file <file>', 'where the first-admin token is; - is standard input')
    .addHelpText('after', example('export HOLDFAST_TOKEN=$(holdfast token claim --name me)'));
  command.action(async (options: ClaimOptions) => {
    const file = options.tokenFile ?? dataDirFile(surroundings.env, 'first-admin-token');
    const session = openServiceSessionAs(await readFirstAdminToken(file, surroundings), command, surroundings);
    const roles = [...new Set(['admin', ...(options.role ?? [])])];
    const body = { name: options.name, roles, expiresInDays: options.expiresInDays };
    const token = await session.client.send({ method: 'POST', path: 'tokens', body }, newTokenSchema).catch(explain);
    session.output.text(token.secret, token);
    session.output.note(`Admin token ${token.name}, ends ${momentText(token.expiresAt)}. It is shown this once.`);
    session.output.note('Keep it in HOLDFAST_TOKEN; `holdfast token create` makes tokens for others.');
  });
}

async function readFirstAdminToken(file: string, surroundings: Surroundings): Promise<string> {
  try {
    const token = (await readTextInput(file, surroundings)).trim();
    if (token !== '') return token;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const isMissing = error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'ENOENT';
    if (!isMissing) throw error;
  }
  await requireFolder(file);
  throw notClaimable(`there is no first-admin token in ${file === '-' ? nameOf(file) : path.resolve(file)}`);
}

/** Elsewhere nothing is to be found, whatever the service did. @throws CommandError usage */
async function requireFolder(file: string): Promise<void> {
  if (file === '-') return;
  const folder = path.dirname(path.resolve(file));
  const exists = await access(folder).then(
    () => true,
    () => false,
  );
  if (exists) return;
  throw new CommandError('usage', `there is no data directory ${folder}`, {
    hint: 'Run this where the service was started, or name its data directory in HOLDFAST_DATA_DIR.',
    code: 'data_dir_missing',
  });
}

/** Being refused here has two reasons only. */
function explain(error: unknown): never {
  if (error instanceof CommandError && ['unauthenticated', 'admin_exists'].includes(error.code)) {
    throw notClaimable('the service does not accept this first-admin token');
  }
  throw error;
}

function notClaimable(what: string): CommandError {
  return new CommandError('refused', `${what}: an admin exists already, or its 15 minutes are over`, {
    hint:
      'Is the service still starting? Wait until it says that it is running. If there is an admin, ask for a token of your own (`holdfast token create`). If not, start the service again ' +
      'for a new one; it says in which file, for --token-file if that is another one than this.',
    code: 'admin_exists',
  });
}
