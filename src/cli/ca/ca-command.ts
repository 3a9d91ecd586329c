/** `holdfast ca`: certification authorities of our own. */
import type { Command } from 'commander';
import { addDecisionCommands } from '../decision-commands.ts';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { certificationAuthoritySchema } from './ca-records.ts';
import { describeCa } from './ca-report.ts';
import { addCaCertifyCommand } from './certify.ts';
import { CA_ARGUMENT, findCa } from './find-ca.ts';
import { addCaImportCommand } from './import.ts';
import { addCaInitCommand } from './init.ts';
import { addCaListCommand } from './list.ts';
import { addCaRootListCommand } from './root-list.ts';
import { addCaShowCommand } from './show.ts';
import { addCaUpdateCommand } from './update.ts';

export function addCaCommand(program: Command, surroundings: Surroundings): void {
  const ca = program
    .command('ca')
    .summary('certification authorities of your own')
    .description(
      'Certification authorities of your own: they issue certificates to the entities of an authority, from what the\n' +
        'registry says of these, and answer for them (list of revocations, OCSP).',
    )
    .addHelpText(
      'after',
      example(
        'holdfast ca init "Example Issuing CA" --root /media/stick/root --passphrase-file /media/stick/passphrase',
        'holdfast trust-list add /media/stick/root/root.pem --purpose transport --name "Example Root CA"',
        'holdfast ca show "Example Issuing CA"',
      ),
    );
  ca.commandsGroup('Work with a running service:');
  addCaInitCommand(ca, surroundings);
  addCaImportCommand(ca, surroundings);
  addCaListCommand(ca, surroundings);
  addCaShowCommand(ca, surroundings);
  addCaUpdateCommand(ca, surroundings);
  addDecisionCommands(ca, surroundings, {
    summaries: { retire: 'let it issue nothing more, for good; it goes on answering for what it issued' },
    command: 'ca',
    argument: ['<ca>', CA_ARGUMENT],
    sample: '"Example Issuing CA"',
    collection: 'certification-authorities',
    record: certificationAuthoritySchema,
    find: ({ client }, given) => findCa(client, given),
    title: ({ name }) => name,
    describe: describeCa,
  });
  ca.commandsGroup('With the folder of a root, without any service:');
  addCaCertifyCommand(ca, surroundings);
  addCaRootListCommand(ca, surroundings);
}
