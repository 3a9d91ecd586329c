/** `holdfast role assign` and `holdfast role amend`: roles of organisations, how and for how long. */
import type { Command } from 'commander';
import { findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { requireSomeChange } from '../require-change.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { type AssignmentOptions, addAssignmentOptions, assignmentSettings } from './assignment-settings.ts';
import { findOrganisationRole, findRole } from './find-role.ts';
import { organisationRoleSchema } from './role-records.ts';
import { describeHeldRole } from './role-report.ts';
import { ROLE_ARGUMENT } from './show.ts';

interface AssignOptions extends AssignmentOptions {
  organisation: string;
  idempotencyKey?: string;
  ifMatch?: number;
}

export function addRoleAssignCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('assign')
    .description('Assign a role to an organisation: its entities may be given it from then on.')
    .argument('<role>', ROLE_ARGUMENT)
    .requiredOption('--organisation <organisation>', 'id, or legal name');
  addAssignmentOptions(command)
    .option('--idempotency-key <key>', 'repeating the command with this key assigns nothing twice')
    .addHelpText(
      'after',
      example(
        'holdfast role assign PISP --organisation "Example Bank Ltd" \\\n' +
          '      --registration-id PSDGB-FCA-123456 --jurisdiction GB --valid-to 2028-12-31',
      ),
    );
  command.action(async (given: string, options: AssignOptions) => {
    const session = openServiceSession(command, surroundings);
    const organisation = await findOrganisation(session.client, options.organisation);
    const { id: roleId } = await findRole(session.client, given, organisation.authorityId);
    const body = { roleId, ...assignmentSettings(options) };
    const path = `organisations/${organisation.id}/roles`;
    const request = { method: 'POST', path, body, idempotencyKey: options.idempotencyKey } as const;
    const assigned = await session.client.send(request, organisationRoleSchema);
    session.output.result(assigned, (report) => describeHeldRole(report, assigned, organisation.legalName));
  });
}

export function addRoleAmendCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('amend')
    .description('Change how, and for how long, an organisation has a role.')
    .argument('<role>', ROLE_ARGUMENT)
    .requiredOption('--organisation <organisation>', 'id, or legal name');
  addAssignmentOptions(command)
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example('holdfast role amend PISP --organisation "Example Bank Ltd" --valid-to never'));
  command.action(async (given: string, options: AssignOptions) => {
    const session = openServiceSession(command, surroundings);
    const body = assignmentSettings(options);
    requireSomeChange(body);
    const organisation = await findOrganisation(session.client, options.organisation);
    const role = await findRole(session.client, given, organisation.authorityId);
    const { id, version } = await findOrganisationRole(session.client, organisation, role);
    const path = `organisations/${organisation.id}/roles/${id}`;
    const request = { method: 'PATCH', path, body, ifMatch: options.ifMatch ?? version } as const;
    const amended = await session.client.send(request, organisationRoleSchema);
    session.output.result(amended, (report) => describeHeldRole(report, amended, organisation.legalName));
  });
}
