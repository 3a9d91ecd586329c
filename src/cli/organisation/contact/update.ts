/** `holdfast organisation contact update` */
import type { Command } from 'commander';
import { contactSchema } from '../../api-records.ts';
import { findContact, findOrganisation } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { recordVersion } from '../../option-values.ts';
import { requireSomeChange } from '../../require-change.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { describeContact } from '../organisation-report.ts';

interface UpdateOptions {
  type?: string;
  email?: string;
  name?: string | false;
  pgp?: string | false;
  ifMatch?: number;
}

export function addContactUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .description('Change a contact of an organisation. Another address has to be confirmed anew.')
    .argument('<organisation>', 'id, or legal name if unique')
    .argument('<contact>', 'id, or address if unique')
    .option('--type <type>', 'what it is about, such as incident')
    .option('--email <address>', 'its new address')
    .option('--name <name>', 'who or what answers there')
    .option('--no-name', 'nobody in particular')
    .option('--pgp <fingerprint>', 'fingerprint of the OpenPGP key to encrypt to')
    .option('--no-pgp', 'it has no such key')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText(
      'after',
      example('holdfast organisation contact update "Example University" soc@example.edu --email cert@example.edu'),
    );
  command.action(async (given: string, contact: string, options: UpdateOptions) => {
    const session = openServiceSession(command, surroundings);
    const { type, email, name, pgp } = options;
    const body = { type, email, name: orNull(name), pgpFingerprint: orNull(pgp) };
    requireSomeChange(body);
    const organisation = await findOrganisation(session.client, given);
    const { id, version } = findContact(organisation, contact);
    const path = `organisations/${organisation.id}/contacts/${id}`;
    const updated = await session.client.send(
      { method: 'PATCH', path, body, ifMatch: options.ifMatch ?? version },
      contactSchema,
    );
    session.output.result(updated, (report) => describeContact(report, updated));
  });
}

function orNull(value: string | false | undefined): string | null | undefined {
  return value === false ? null : value;
}
