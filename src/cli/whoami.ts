/** `holdfast whoami` */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { whoamiSchema } from './api-records.ts';
import { example } from './help-text.ts';
import { openServiceSession } from './session.ts';
import type { Surroundings } from './surroundings.ts';
import { reachNames, reachText } from './token/token-report.ts';

export function addWhoamiCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('whoami')
    .summary('whose token this is and what it may do')
    .description('Show whose token HOLDFAST_TOKEN is, its roles, and what it reaches.')
    .addHelpText('after', example('holdfast whoami'));
  command.action(async () => {
    const session = openServiceSession(command, surroundings);
    const actor = await session.client.send({ method: 'GET', path: 'whoami' }, whoamiSchema);
    const reach = await reachOf(session.client, actor);
    session.output.result(actor, (report) => {
      report.heading(actor.name);
      report.facts([
        ['id', actor.id],
        ['roles', actor.roles.join(', ')],
        [actor.organisationIds === null ? 'authorities' : 'organisations', reach],
        ['service', session.client.serviceUrl.origin],
      ]);
    });
  });
}

/** Organisations of a member, else authorities; the token of an entity does not read about its organisation. */
async function reachOf(client: ApiClient, actor: z.infer<typeof whoamiSchema>): Promise<string> {
  return reachText(actor, actor.entityId === null ? await reachNames(client, [actor]) : new Map());
}
