/** `holdfast organisation contact add` */
import type { Command } from 'commander';
import { contactSchema } from '../../api-records.ts';
import { findOrganisation } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { contact } from '../../option-values.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { describeContact } from '../organisation-report.ts';

interface AddOptions {
  pgp?: string;
  idempotencyKey?: string;
}

export function addContactAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .description('Add a contact to an organisation.')
    .argument('<organisation>', 'id, or legal name if unique')
    .argument(
      '<type=email>',
      'such as incident=soc@example.org or "incident=Duty engineer <soc@example.org>"',
      (value) => contact(value, undefined),
    )
    .option('--pgp <fingerprint>', 'fingerprint of the OpenPGP key to encrypt to')
    .option('--idempotency-key <key>', 'repeating the command with this key adds nothing twice')
    .addHelpText('after', example('holdfast organisation contact add "Example University" incident=soc@example.edu'));
  command.action(async (given: string, contacts: ReturnType<typeof contact>, options: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const { id } = await findOrganisation(session.client, given);
    const body = { ...contacts[0], pgpFingerprint: options.pgp };
    const added = await session.client.send(
      { method: 'POST', path: `organisations/${id}/contacts`, body, idempotencyKey: options.idempotencyKey },
      contactSchema,
    );
    session.output.result(added, (report) => describeContact(report, added));
  });
}
