/** `holdfast token revoke` */
import type { Command } from 'commander';
import { tokenSchema } from '../api-records.ts';
import { findToken } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

export function addTokenRevokeCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('revoke')
    .description('Revoke a token; it stops at once.')
    .argument('<token>', 'id, or name if unique')
    .addHelpText('after', example('holdfast token revoke "enrolment desk"'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const { id } = await findToken(session.client, given);
    const token = await session.client.send({ method: 'DELETE', path: `tokens/${id}` }, tokenSchema);
    session.output.result(token, (report) => report.line(`Token ${token.name} is revoked.`));
  });
}
