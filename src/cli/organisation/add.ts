/** `holdfast organisation add` */
import type { Command } from 'commander';
import { organisationSchema } from '../api-records.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { HOLDFAST } from '../invocation.ts';
import { type ContactInput, contact } from '../option-values.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeOrganisation } from './organisation-report.ts';

interface AddOptions {
  authority?: string;
  contact?: ContactInput[];
  idempotencyKey?: string;
}

export function addOrganisationAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .summary('record an organisation; it is pending until approved')
    .description('Records an organisation that is responsible for entities. It is pending until somebody approves it.')
    .argument('<name>', 'its name')
    .option('--authority <authority>', 'id, Entity Identifier or name; may be left out if there is only one')
    .option('--contact <type=email>', 'such as technical=ops@example.org; may be repeated', contact)
    .option('--idempotency-key <key>', 'repeating the command with this key adds nothing twice')
    .addHelpText(
      'after',
      example('holdfast organisation add "Example University" --contact technical=ops@example.edu'),
    );
  command.action(async (name: string, options: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const authority = await findAuthority(session.client, options.authority);
    const body = { authorityId: authority.id, name, contacts: options.contact };
    const organisation = await session.client.send(
      { method: 'POST', path: 'organisations', body, idempotencyKey: options.idempotencyKey },
      organisationSchema,
    );
    session.output.result(organisation, (report) => describeOrganisation(report, organisation));
    session.output.note(`Next: ${HOLDFAST} organisation approve ${organisation.id}`);
  });
}
