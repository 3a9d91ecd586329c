/** `holdfast role unassign` */
import type { Command } from 'commander';
import { confirm } from '../confirm.ts';
import { findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { findOrganisationRole, findRole } from './find-role.ts';
import { removedRoleSchema } from './role-records.ts';
import { describeAffected } from './role-report.ts';
import { ROLE_ARGUMENT } from './show.ts';

interface UnassignOptions {
  organisation: string;
  reason: string;
  dryRun?: boolean;
  yes?: boolean;
}

export function addRoleUnassignCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('unassign')
    .summary('take a role from an organisation and all of its entities')
    .description('Take a role from an organisation, and in the same moment from all of its entities that have it.')
    .argument('<role>', ROLE_ARGUMENT)
    .requiredOption('--organisation <organisation>', 'id, or legal name')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--dry-run', 'list the entities that would lose it, and change nothing')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText(
      'after',
      example('holdfast role unassign PISP --organisation "Example Bank Ltd" --reason "licence lost" --dry-run'),
    );
  command.action(async (given: string, { reason, dryRun = false, yes, ...options }: UnassignOptions) => {
    const session = openServiceSession(command, surroundings);
    const organisation = await findOrganisation(session.client, options.organisation);
    const role = await findRole(session.client, given, organisation.authorityId);
    const { id, version } = await findOrganisationRole(session.client, organisation, role);
    const [what, path] = [
      `${role.name} from ${organisation.legalName}`,
      `organisations/${organisation.id}/roles/${id}`,
    ];
    const remove = (isDryRun: boolean) => {
      const body = { reason, ...(isDryRun && { dryRun: true }) };
      return session.client.send({ method: 'POST', path: `${path}/remove`, body, ifMatch: version }, removedRoleSchema);
    };
    if (!dryRun) {
      const lookAt = `holdfast role unassign ${role.id} --organisation ${organisation.id} --reason … --dry-run`;
      if (yes !== true) {
        const tried = await remove(true);
        session.output.explain((report) => describeAffected(report, tried, 'Would lose it'));
      }
      await confirm(`take ${what}?`, session, { yes, lookAt });
    }
    const removed = await remove(dryRun);
    session.output.result(removed, (report) => {
      report.line(dryRun ? `Nothing was changed: this would take ${what}.` : `Took ${what}.`);
      describeAffected(report, removed, dryRun ? 'Would lose it' : 'Lost it');
    });
  });
}
