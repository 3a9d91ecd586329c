/** `holdfast enrolment withdraw-domain` and `withdraw-terms`: what an organisation proved and accepted is taken back. */
import type { Command } from 'commander';
import { z } from 'zod';
import { confirm } from '../confirm.ts';
import { findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

interface WithdrawOptions {
  reason: string;
  dryRun?: boolean;
  yes?: boolean;
}

const withdrawnDomainSchema = z.looseObject({
  domain: z.string(),
  entities: z.array(z.looseObject({ id: z.string(), entityIdentifier: z.string() })),
});

export function addEnrolmentWithdrawDomainCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('withdraw-domain')
    .summary('take back that an organisation proved a domain')
    .description(
      'Take back that an organisation proved a domain: it counts for no enrolment until it is proven again. Entities that\n' +
        'are let in stay; each that no other proof covers has the finding domain_unproven.',
    )
    .argument('<organisation>', 'id, or legal name if unique')
    .argument('<domain>', 'as `holdfast organisation show` names it');
  addWithdrawOptions(command, 'holdfast enrolment withdraw-domain "Example University" example.edu --reason "sold"');
  command.action(async (given: string, domain: string, { reason, dryRun = false, yes }: WithdrawOptions) => {
    const session = openServiceSession(command, surroundings);
    const { id, legalName } = await findOrganisation(session.client, given);
    if (!dryRun) await confirm(`take back that ${legalName} proved ${domain}?`, session, { yes });
    const body = { domain, reason, ...(dryRun && { dryRun }) };
    const request = { method: 'POST', path: `organisations/${id}/domains/withdraw`, body } as const;
    const withdrawn = await session.client.send(request, withdrawnDomainSchema);
    session.output.result(withdrawn, (report) => {
      report.line(dryRun ? 'Nothing was changed.' : `That ${legalName} proved ${domain} counts no more.`);
      if (withdrawn.entities.length === 0) return;
      report.heading(dryRun ? 'Would be flagged' : 'Flagged: domain_unproven');
      report.table(
        [],
        withdrawn.entities.map(({ id: entityId, entityIdentifier }) => [entityId, entityIdentifier]),
      );
    });
  });
}

const withdrawnTermsSchema = z.looseObject({ version: z.string(), required: z.boolean() });

export function addEnrolmentWithdrawTermsCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('withdraw-terms')
    .summary('take back that an organisation accepted terms')
    .description(
      'Take back that an organisation accepted terms. Where its authority asks for them, its open enrolments fail, and it is\n' +
        'flagged as one whose terms lapsed, until somebody accepts them anew.',
    )
    .argument('<organisation>', 'id, or legal name if unique')
    .requiredOption('--terms <version>', 'the version of the terms');
  addWithdrawOptions(command, 'holdfast enrolment withdraw-terms "Example University" --terms 2027-1 --reason "left"');
  command.action(async (given: string, options: WithdrawOptions & { terms: string }) => {
    const { terms: version, reason, dryRun = false, yes } = options;
    const session = openServiceSession(command, surroundings);
    const { id, legalName } = await findOrganisation(session.client, given);
    if (!dryRun) await confirm(`take back that ${legalName} accepted the terms ${version}?`, session, { yes });
    const body = { version, reason, ...(dryRun && { dryRun }) };
    const request = { method: 'POST', path: `organisations/${id}/terms/withdraw`, body } as const;
    const withdrawn = await session.client.send(request, withdrawnTermsSchema);
    const asked = withdrawn.required ? 'the authority asks for it' : 'the authority does not ask for it';
    session.output.result(withdrawn, (report) =>
      report.line(
        dryRun
          ? `Nothing was changed: ${legalName} accepted version ${version}, and ${asked}.`
          : `That ${legalName} accepted version ${version} counts no more; ${asked}.`,
      ),
    );
  });
}

function addWithdrawOptions(command: Command, shown: string): void {
  command
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--dry-run', 'say what depends on it, and change nothing')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example(shown));
}
