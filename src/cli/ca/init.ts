/** `holdfast ca init` */
import { type Command, Option } from 'commander';
import type { AuthorityRecord } from '../api-records.ts';
import { CommandError } from '../command-error.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession, type ServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { type CertificationAuthorityRecord, certificationAuthoritySchema } from './ca-records.ts';
import { describeCa } from './ca-report.ts';
import { addCaSettings, type CaSettingsOptions, caSettings } from './ca-settings.ts';
import { casNamed } from './find-ca.ts';
import { writeNewFile } from './new-file.ts';
import { addRootOptions, type RootOptions, rootPassphrase } from './root-options.ts';

const MAX_NAME_LENGTH = 64;

interface InitOptions extends CaSettingsOptions, RootOptions {
  authority?: string;
  alg?: string;
  request?: string;
}

export function addCaInitCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('init')
    .summary('make a certification authority, certified by a root of your own or of somebody else')
    .description(
      'Make a certification authority. Its key is made at the service and stays there. With --root, a root of your own\n' +
        'certifies it at once: its key and certificate are in a folder of this machine, made if there is none, under a\n' +
        'passphrase. Keep that folder away from the service: whoever has it and the passphrase can make certification\n' +
        'authorities that everybody believes. With --request, the request is written to a file for the root of somebody\n' +
        'else, or for one that is on no network (`holdfast ca certify`); then bring what it gives: `holdfast ca import`.\n' +
        'Repeat the command where it was interrupted: it goes on with what there is.',
    )
    .argument('<name>', 'what people call it, and the common name of its certificate')
    .option('--authority <authority>', 'for whose entities it issues; may be left out if there is only one')
    .option('--root <folder>', 'the folder of the root; it and its files are for you alone (0700)')
    .option('--request <file>', 'in its place: write the request to a new file')
    .addOption(
      new Option(
        '--alg <alg>',
        'of its key (default: HOLDFAST_KEY_ALGORITHM of the service, which is ES256 unless set; RS256 for PS256)',
      ).choices(['ES256', 'ES384', 'RS256']),
    );
  addCaSettings(addRootOptions(command)).addHelpText(
    'after',
    example(
      'holdfast ca init "Example Issuing CA" --root /media/stick/root --passphrase-file /media/stick/passphrase',
      'holdfast ca init "Example Issuing CA" --request request.pem',
    ),
  );
  command.action(async (name: string, options: InitOptions) => {
    const { root, request } = options;
    if ((root === undefined) === (request === undefined)) {
      throw new CommandError('usage', 'name either --root or --request', {
        hint: 'With --root a root of your own certifies it; with --request that of somebody else.',
      });
    }
    const session = openServiceSession(command, surroundings);
    const authority = await findAuthority(session.client, options.authority);
    const made =
      root === undefined
        ? await withRequest(session, authority, name, options, request ?? '')
        : await withRoot(session, authority, name, options, root);
    await showRecord(session, made, describeCa);
  });
}

async function withRequest(
  session: ServiceSession,
  authority: AuthorityRecord,
  name: string,
  options: InitOptions,
  file: string,
): Promise<CertificationAuthorityRecord> {
  const pending = await pendingCa(session, authority, name, options);
  await writeNewFile(file, pending.request);
  return pending;
}

async function withRoot(
  session: ServiceSession,
  authority: AuthorityRecord,
  name: string,
  options: InitOptions,
  folder: string,
): Promise<CertificationAuthorityRecord> {
  const { openOrMakeRoot, certifyRequest } = await import('./root-ceremony.ts');
  const { asOfRoot } = await import('./root-failure.ts');
  const now = Math.floor(Date.now() / 1000);
  const passphrase = await rootPassphrase(options, session);
  const { rootAlg: alg, rootYears, years } = options;
  // Names of authorities may be longer than names in certificates (RFC 5280 Appendix A.1).
  const organisation = authority.name.length <= MAX_NAME_LENGTH ? authority.name : undefined;
  const ofAuthority = `${authority.name} Root CA`;
  const rootName = options.rootName ?? (ofAuthority.length <= MAX_NAME_LENGTH ? ofAuthority : 'Root CA');
  // First, so that nothing waits at the service for a root that does not open.
  const { root, isNew } = await asOfRoot(() =>
    openOrMakeRoot({ folder, passphrase, name: rootName, organisation, alg, years: rootYears }, now),
  );
  if (isNew) session.output.note(`A root was made in ${folder}. Take that folder off this machine when this is done.`);
  const pending = await pendingCa(session, authority, name, options);
  const certificate = await asOfRoot(() => certifyRequest(root, pending.request, years, now));
  const request = { method: 'POST', path: `certification-authorities/${pending.id}/activate` } as const;
  return await session.client.send({ ...request, body: { certificate } }, certificationAuthoritySchema);
}

/** Makes it, or goes on with one of this name that waits. */
async function pendingCa(
  { client, output }: ServiceSession,
  { id: authorityId }: AuthorityRecord,
  name: string,
  options: InitOptions,
): Promise<CertificationAuthorityRecord> {
  const there = (await casNamed(client, name, authorityId)).find(({ state }) => state === 'pending');
  if (there !== undefined) {
    output.note(`${there.name} waits for its certificate already; going on with it as it is.`);
    return there;
  }
  const body = { authorityId, name, alg: options.alg, ...caSettings(options) };
  return await client.send({ method: 'POST', path: 'certification-authorities', body }, certificationAuthoritySchema);
}
