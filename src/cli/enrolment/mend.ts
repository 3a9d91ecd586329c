/** `holdfast enrolment run`, `update`, `submit`, and the terms that an organisation accepts. */
import type { Command } from 'commander';
import { z } from 'zod';
import { findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { enrolmentSchema, findEnrolment, requirePassedSteps } from './enrolment-records.ts';
import { describeEnrolment, describeSteps, organisationNameOf } from './enrolment-report.ts';
import { addRequestOptions, type RequestOptions, requestBody } from './request-options.ts';

export function addEnrolmentRunCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('run')
    .summary('run its steps again, or one of them')
    .description(
      'Run the steps of an enrolment again, or one of them, when what failed is mended. Exits with 1 if one failed.\n' +
        'Evidence that says something else takes back the approvals given before.',
    )
    .argument('<enrolment>', 'id, or Entity Identifier')
    .option('--step <step>', 'only this one, such as domain or hook')
    .addHelpText('after', example('holdfast enrolment run https://rp.example.edu --step domain'));
  command.action(async (given: string, { step }: { step?: string }) => {
    const session = openServiceSession(command, surroundings);
    const { id } = await findEnrolment(session.client, given);
    const path = step === undefined ? `enrolments/${id}/run` : `enrolments/${id}/steps/${step}/run`;
    const enrolment = await session.client.send({ method: 'POST', path }, enrolmentSchema);
    session.output.result(enrolment, (report) => describeSteps(report, enrolment));
    requirePassedSteps(enrolment);
  });
}

interface UpdateOptions extends RequestOptions {
  organisation?: string;
  ifMatch?: number;
}

export function addEnrolmentUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .summary('change what it asks for, or say whose it is; all steps run again')
    .description(
      'Change what an enrolment asks for; all its steps run again. What came without a token is taken up by naming its\n' +
        'organisation: it lapses no more.',
    )
    .argument('<enrolment>', 'id, or Entity Identifier')
    .option('--organisation <organisation>', 'whose it is: id, or legal name if unique')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion);
  addRequestOptions(command).addHelpText(
    'after',
    example('holdfast enrolment update https://rp.example.edu --organisation "Example University"'),
  );
  command.action(async (given: string, { organisation, ifMatch, ...options }: UpdateOptions) => {
    const session = openServiceSession(command, surroundings);
    const { id, version, authorityId, ...enrolled } = await findEnrolment(session.client, given);
    const organisationId = organisation && (await findOrganisation(session.client, organisation, authorityId)).id;
    const place = { authorityId, organisationId: organisationId ?? enrolled.organisationId };
    const body = { organisationId, ...(await requestBody(options, session.client, place)) };
    const request = { method: 'PATCH', path: `enrolments/${id}`, body, ifMatch: ifMatch ?? version } as const;
    const enrolment = await session.client.send(request, enrolmentSchema);
    const name = await organisationNameOf(session.client, enrolment);
    session.output.result(enrolment, (report) => describeEnrolment(report, enrolment, name));
    requirePassedSteps(enrolment);
  });
}

export function addEnrolmentSubmitCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('submit')
    .description('Submit a draft: its steps run. Exits with 1 if one failed.')
    .argument('<enrolment>', 'id, or Entity Identifier')
    .addHelpText('after', example('holdfast enrolment submit https://rp.example.edu'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const { id } = await findEnrolment(session.client, given);
    const enrolment = await session.client.send({ method: 'POST', path: `enrolments/${id}/submit` }, enrolmentSchema);
    session.output.result(enrolment, (report) => describeSteps(report, enrolment));
    requirePassedSteps(enrolment);
  });
}

const termsSchema = z.looseObject({ version: z.string(), acceptedBy: z.string(), acceptedAt: z.string() });

export function addEnrolmentAcceptTermsCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('accept-terms')
    .summary('record that an organisation accepted the terms')
    .description('Record that an organisation accepted the terms of its authority; they count for all its enrolments.')
    .argument('<organisation>', 'id, or legal name if unique')
    .requiredOption('--terms <version>', 'the version of the terms')
    .requiredOption('--accepted-by <name>', 'the person who accepted them')
    .addHelpText(
      'after',
      example('holdfast enrolment accept-terms "Example University" --terms 2027-1 --accepted-by "Jo Doe, director"'),
    );
  command.action(async (given: string, { terms, acceptedBy }: { terms: string; acceptedBy: string }) => {
    const session = openServiceSession(command, surroundings);
    const { id, legalName } = await findOrganisation(session.client, given);
    const body = { version: terms, acceptedBy };
    const accepted = await session.client.send(
      { method: 'POST', path: `organisations/${id}/terms`, body },
      termsSchema,
    );
    session.output.result(accepted, (report) =>
      report.line(`${legalName} accepted the terms ${accepted.version}, by ${accepted.acceptedBy}.`),
    );
  });
}
