/** `holdfast whoami` */
import type { Command } from 'commander';
import { whoamiSchema } from './api-records.ts';
import { example } from './help-text.ts';
import { openServiceSession } from './session.ts';
import type { Surroundings } from './surroundings.ts';
import { authoritiesText } from './token/token-report.ts';

export function addWhoamiCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('whoami')
    .summary('whose token this is and what it may do')
    .description('Show whose token HOLDFAST_TOKEN is, its roles, and the authorities that it reaches.')
    .addHelpText('after', example('holdfast whoami'));
  command.action(async () => {
    const session = openServiceSession(command, surroundings);
    const actor = await session.client.send({ method: 'GET', path: 'whoami' }, whoamiSchema);
    session.output.result(actor, (report) => {
      report.heading(actor.name);
      report.facts([
        ['id', actor.id],
        ['roles', actor.roles.join(', ')],
        ['authorities', authoritiesText(actor.authorityIds)],
        ['service', session.client.serviceUrl.origin],
      ]);
    });
  });
}
