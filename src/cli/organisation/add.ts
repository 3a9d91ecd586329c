/** `holdfast organisation add` */
import type { Command } from 'commander';
import { organisationSchema } from '../api-records.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { HOLDFAST } from '../invocation.ts';
import { type ContactInput, contact } from '../option-values.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeOrganisation } from './organisation-report.ts';
import { addOrganisationOptions, type OrganisationOptions, organisationSettings } from './organisation-settings.ts';

interface AddOptions extends OrganisationOptions {
  authority?: string;
  contact?: ContactInput[];
  previous?: string;
  idempotencyKey?: string;
}

export function addOrganisationAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .summary('record an organisation; it is pending until approved')
    .description(
      'Records an organisation that is responsible for entities. It is pending until somebody approves it, which needs\n' +
        'the contacts that its authority asks for: an incident contact unless it is set up otherwise.',
    )
    .argument('<legal-name>', 'its legal name')
    .option('--authority <authority>', 'id, Entity Identifier or name; may be left out if there is only one')
    .option('--contact <type=email>', 'such as incident=soc@example.org; may be repeated', contact);
  addOrganisationOptions(command)
    .option('--previous <id>', 'the closed record that it follows (default: that of the same registration)')
    .option('--idempotency-key <key>', 'repeating the command with this key adds nothing twice')
    .addHelpText(
      'after',
      example(
        'holdfast organisation add "Example University" --contact incident=soc@example.edu',
        'holdfast organisation add "Example Bank Ltd" --contact incident=soc@bank.example \\\n' +
          '      --registration-number 05123456 --register "Companies House" --country GB',
      ),
    );
  command.action(async (legalName: string, options: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const authority = await findAuthority(session.client, options.authority);
    const body = {
      authorityId: authority.id,
      legalName,
      ...(await organisationSettings(options, session.client, authority.id)),
      contacts: options.contact,
      previousId: options.previous,
    };
    const organisation = await session.client.send(
      { method: 'POST', path: 'organisations', body, idempotencyKey: options.idempotencyKey },
      organisationSchema,
    );
    await showRecord(session, organisation, describeOrganisation);
    session.output.note(`Next: ${HOLDFAST} organisation approve ${organisation.id}`);
  });
}
