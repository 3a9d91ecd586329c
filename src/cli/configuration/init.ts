/** `holdfast configuration init` */
import { access } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { isLoopbackHost } from '../../federation/identifiers.ts';
import type { JsonObject } from '../../federation/json.ts';
import { ALGORITHM_NAMES, type Algorithm } from '../../federation/signature.ts';
import { keyThumbprints } from '../anchor/thumbprints.ts';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import { readJsonObjectInput } from '../input-file.ts';
import { HOLDFAST } from '../invocation.ts';
import { positiveInteger, repeatable } from '../option-values.ts';
import { parseNamedEntity } from '../outbound-options.ts';
import { openLocalSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { initialMetadata } from './initial-metadata.ts';
import { makeFolder } from './make-folder.ts';
import { createPartnerKeyFile, readPartnerKeys } from './partner-keys.ts';
import { DEFAULT_LIFETIME_SECONDS, ignorePrivateKeys, keyFile, settingsFile, writeSettings } from './settings.ts';

interface InitOptions {
  entity: string;
  superior?: string[];
  dir: string;
  type?: string[];
  name?: string;
  metadata?: string;
  alg: Algorithm;
  lifetime: number;
  allowHttp?: boolean;
}

const DESCRIPTION = `Make the folder for an Entity Configuration: settings to edit (configuration.json) and Federation Entity Keys
(private-keys.json, mode 0600, which .gitignore there keeps out of a repository). The metadata is a beginning: complete it
before you publish. Keys that are in the folder without settings, such as those of \`configuration take-key\`, stay.`;

export function addConfigurationInitCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('init')
    .summary('make keys and settings')
    .description(DESCRIPTION)
    .requiredOption('--entity <entity-identifier>', 'your Entity Identifier')
    .requiredOption('--dir <folder>', 'the folder to make')
    .option('--superior <entity-identifier>', 'whom you ask to vouch for you; may be repeated', repeatable)
    .option('--type <type>', 'an Entity Type, such as openid_relying_party; may be repeated', repeatable)
    .option('--metadata <file>', 'JSON: parameters of the one --type, or without --type all metadata by Entity Type')
    .option('--name <name>', 'the name of your organisation')
    .addOption(new Option('--alg <alg>', 'algorithm of the key').choices(ALGORITHM_NAMES).default('ES256'))
    .option('--lifetime <seconds>', 'life of the configuration', positiveInteger, DEFAULT_LIFETIME_SECONDS)
    .option('--allow-http', 'accept http identifiers beyond loopback')
    .addHelpText(
      'after',
      example(
        'holdfast configuration init --entity https://rp.example.edu --superior https://fed.example.org \\\n' +
          '      --type openid_relying_party --dir rp',
      ),
    );
  command.action(async (options: InitOptions) => {
    const { output, allowHttp } = openLocalSession(command, surroundings, options);
    const { dir } = options;
    const entity = parseNamedEntity(options.entity, allowHttp);
    const hints = options.superior?.map((superior) => parseNamedEntity(superior, allowHttp));
    const metadata = await metadataOf(options, surroundings);
    await makeFolder(dir);
    await requireNoSettings(dir);
    const present = (await exists(keyFile(dir))) ? (await readPartnerKeys(keyFile(dir))).jwks : undefined;
    await writeSettings(dir, {
      entity,
      ...(hints === undefined ? {} : { authority_hints: hints }),
      metadata,
      lifetimeSeconds: options.lifetime,
    });
    await ignorePrivateKeys(dir);
    const jwks = present ?? (await createPartnerKeyFile(keyFile(dir), options.alg));
    const [key] = await keyThumbprints(jwks.keys);
    output.result({ entity, settings: settingsFile(dir), keys: keyFile(dir), jwks }, (report) => {
      report.heading(entity);
      report.facts([
        ['settings', settingsFile(dir)],
        ['private key', present === undefined ? keyFile(dir) : `${keyFile(dir)}, which was there`],
        ['thumbprint', key?.thumbprint],
      ]);
    });
    const sign = `\`holdfast configuration sign --dir ${dir} --out WEB_ROOT\``;
    output.note(`Next: complete ${settingsFile(dir)}, then ${sign} for a web server of yours, or serve it from here:`);
    output.note(serveCommand(entity, dir));
  });
}

/** On loopback the port of the identifier is the one to listen on; elsewhere a web server stands before it. */
function serveCommand(entity: string, dir: string): string {
  const { hostname, port, protocol } = new URL(entity);
  const address = hostname === 'localhost' ? '127.0.0.1' : hostname;
  const listen = isLoopbackHost(hostname) && protocol === 'http:' ? ` --listen ${address}:${port || 80}` : '';
  return `${HOLDFAST} configuration serve --dir ${dir}${listen}`;
}

async function metadataOf(options: InitOptions, surroundings: Surroundings): Promise<JsonObject> {
  const { type: types = [], metadata: file, entity, name } = options;
  if (file === undefined) return initialMetadata(entity, types, name);
  const given = await readJsonObjectInput(file, surroundings);
  const [type, another] = types;
  if (another !== undefined) {
    throw new CommandError('usage', '--metadata with several --type', {
      hint: 'Leave --type out and let the file hold all metadata by Entity Type.',
    });
  }
  return { ...initialMetadata(entity, [], name), ...(type === undefined ? given : { [type]: given }) };
}

/** Settings that are there are somebody's. @throws CommandError usage */
async function requireNoSettings(dir: string): Promise<void> {
  const file = settingsFile(dir);
  if (!(await exists(file))) return;
  throw new CommandError('usage', `${file} exists already`, { hint: 'Name another folder with --dir.' });
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
