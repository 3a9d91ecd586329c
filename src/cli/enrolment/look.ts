/** `holdfast enrolment list` and `holdfast enrolment show` */
import type { Command } from 'commander';
import { findAuthority, findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { enrolmentSchema, findEnrolment } from './enrolment-records.ts';
import { describeEnrolment, ENROLMENT_COLUMNS, enrolmentRow, organisationNameOf } from './enrolment-report.ts';

interface EnrolmentListOptions extends ListOptions {
  authority?: string;
  organisation?: string;
  state?: string;
}

export function addEnrolmentListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List enrolments, oldest first.'))
    .option('--authority <authority>', 'only those of one authority')
    .option('--organisation <organisation>', 'only those of one organisation')
    .option('--state <state>', 'only those in this state, such as pending_approval')
    .addHelpText('after', example('holdfast enrolment list --state pending_approval'));
  command.action(async (options: EnrolmentListOptions) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const organisationId =
      options.organisation && (await findOrganisation(session.client, options.organisation, authorityId)).id;
    const query = { authorityId, organisationId, state: options.state };
    const listing = { record: enrolmentSchema, columns: ENROLMENT_COLUMNS, row: enrolmentRow };
    await showList(session, { path: 'enrolments', query, ...listing }, options);
  });
}

export function addEnrolmentShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show an enrolment: what was asked, what each step found and would change, and who approved.')
    .argument('<enrolment>', 'id, or Entity Identifier')
    .addHelpText('after', example('holdfast enrolment show https://rp.example.edu'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const enrolment = await findEnrolment(session.client, given);
    const organisation = await organisationNameOf(session.client, enrolment);
    session.output.result(enrolment, (report) => describeEnrolment(report, enrolment, organisation));
  });
}
