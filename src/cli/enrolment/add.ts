/** `holdfast enrolment add` */
import type { Command } from 'commander';
import { addSubordinateOptions, type SubordinateOptions, subordinateSettings } from '../entity/subordinate-options.ts';
import { findAuthority, findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { HOLDFAST } from '../invocation.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { enrolmentSchema, requirePassedSteps } from './enrolment-records.ts';
import { describeEnrolment } from './enrolment-report.ts';
import { addRequestOptions, type RequestOptions, requestBody } from './request-options.ts';

interface AddOptions extends RequestOptions, SubordinateOptions {
  organisation: string;
  authority?: string;
  mode?: string;
  draft?: boolean;
  idempotencyKey?: string;
}

export function addEnrolmentAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .summary('submit an enrolment: its steps run at once')
    .description(
      'Submits an enrolment and runs the steps of the authority. Each tells what it found, what it would change, and what\n' +
        'to mend where it failed; then the command exits with 1. Somebody else approves it.',
    )
    .argument('<entity-identifier>', 'its Entity Identifier')
    .requiredOption('--organisation <organisation>', 'whose it is: id, or legal name if unique')
    .option('--authority <authority>', 'where the organisation is looked for: id, Entity Identifier or name')
    .option('--mode <mode>', 'live, or test')
    .option('--draft', 'write it down and run nothing yet: `holdfast enrolment submit` does')
    .option('--idempotency-key <key>', 'repeating the command with this key submits nothing twice');
  addRequestOptions(command);
  addSubordinateOptions(command).addHelpText(
    'after',
    example('holdfast enrolment add https://rp.example.edu --organisation "Example University"'),
  );
  command.action(async (entityIdentifier: string, options: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const organisation = await findOrganisation(session.client, options.organisation, authorityId);
    const body = {
      ...{ organisationId: organisation.id, entityIdentifier, mode: options.mode, draft: options.draft },
      ...(await requestBody(options, session.client, {
        authorityId: organisation.authorityId,
        organisationId: organisation.id,
      })),
      ...(await subordinateSettings(options, session)),
    };
    const enrolment = await session.client.send(
      { method: 'POST', path: 'enrolments', body, idempotencyKey: options.idempotencyKey },
      enrolmentSchema,
    );
    session.output.result(enrolment, (report) => describeEnrolment(report, enrolment, organisation.legalName));
    requirePassedSteps(enrolment);
    if (enrolment.state === 'draft') session.output.note(`Next: ${HOLDFAST} enrolment submit ${enrolment.id}`);
    else session.output.note(`Next, with a token of somebody else: ${HOLDFAST} enrolment approve ${enrolment.id}`);
  });
}
