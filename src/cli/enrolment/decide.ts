/** `holdfast enrolment approve`, `reject` and `cancel` */
import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { openServiceSession } from '../session.ts';
import { isInteractive, type Surroundings } from '../surroundings.ts';
import { enrolmentSchema, findEnrolment } from './enrolment-records.ts';
import { describeEnrolment, organisationNameOf } from './enrolment-report.ts';

const DECISIONS = {
  approve: {
    summary: 'approve what its steps found; not for whoever submitted it',
    description:
      'Shows the enrolment first and approves exactly what it showed: when its steps find something else now, nothing is\n' +
      'approved. The last approval that is needed admits the entity: from then on it is vouched for.',
    reason: 'approved',
  },
  reject: { summary: 'turn it down; final', description: 'Turns the enrolment down, for good.', reason: undefined },
  cancel: {
    summary: 'give it up; final',
    description: 'Gives the enrolment up, for good: those who asked need it no more.',
    reason: undefined,
  },
} as const;

interface DecideOptions {
  reason: string;
  ifMatch?: number;
  yes?: boolean;
}

export function addEnrolmentDecisionCommands(parent: Command, surroundings: Surroundings): void {
  for (const decision of ['approve', 'reject', 'cancel'] as const) addDecision(parent, surroundings, decision);
}

function addDecision(parent: Command, surroundings: Surroundings, decision: keyof typeof DECISIONS): void {
  const { summary, description, reason } = DECISIONS[decision];
  const command = parent
    .command(decision)
    .summary(summary)
    .description(description)
    .argument('<enrolment>', 'id, or Entity Identifier');
  if (reason === undefined) command.requiredOption('--reason <text>', 'why, for the audit trail');
  else command.option('--reason <text>', 'why, for the audit trail', reason);
  if (decision !== 'cancel') {
    command.option(
      '--if-match <version>',
      'the version that was looked at; refused if it has changed since',
      recordVersion,
    );
  }
  command
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example(`holdfast enrolment ${decision} https://rp.example.edu --reason "ticket 4711"`))
    .action(async (given: string, { reason, ifMatch, yes }: DecideOptions) => {
      const session = openServiceSession(command, surroundings);
      const seen = await findEnrolment(session.client, given);
      if (!seen.allowedActions.includes(decision)) {
        const possible = seen.allowedActions.join(', ') || 'nothing, this is final';
        throw new CommandError('refused', `cannot ${decision} an enrolment that is ${seen.state}`, {
          hint: `Possible: ${possible}.`,
          code: 'illegal_transition',
        });
      }
      if (decision === 'approve' && yes !== true && isInteractive(session)) {
        const name = await organisationNameOf(session.client, seen);
        session.output.explain((report) => describeEnrolment(report, seen, name));
      }
      const lookAt = `holdfast enrolment show ${seen.id}`;
      await confirm(`${decision} the enrolment of ${seen.entityIdentifier}?`, session, { yes, lookAt });
      const version = decision === 'cancel' ? undefined : (ifMatch ?? seen.version);
      const enrolment = await session.client.send(
        { method: 'POST', path: `enrolments/${seen.id}/${decision}`, body: { reason }, ifMatch: version },
        enrolmentSchema,
      );
      const { entityIdentifier, state, approvals, approvalsNeeded } = enrolment;
      const open = state === 'pending_approval' ? `: ${approvals.length} of ${approvalsNeeded} approvals` : '';
      session.output.result(enrolment, (report) =>
        report.line(`The enrolment of ${entityIdentifier} is ${state}${open}.`),
      );
    });
}
