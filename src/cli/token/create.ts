/** `holdfast token create` */
import type { Command } from 'commander';
import { newTokenSchema } from '../api-records.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { positiveInteger, repeatable } from '../option-values.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { momentText } from '../times.ts';
import { authoritiesText } from './token-report.ts';

interface CreateOptions {
  name: string;
  role: string[];
  authority?: string[];
  expiresInDays?: number;
}

const DESCRIPTION = `Make a token for a person or a program and print its secret, once, alone on standard output.`;

const ROLES = `
Roles:
  admin      everything, except to take keys that are handed over
  registrar  record, update and check organisations and entities; take keys that are handed over
  approver   approve, reject, suspend, reinstate, withdraw, revoke
  auditor    read everything, the audit trail included`;

export function addTokenCreateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('create')
    .summary('make a token for a person or a program')
    .description(DESCRIPTION)
    .requiredOption('--name <name>', 'whose token it is; shown in the audit trail')
    .requiredOption('--role <role>', 'admin, registrar, approver or auditor; may be repeated', repeatable)
    .option('--authority <authority>', 'an authority that it reaches; may be repeated (default: all)', repeatable)
    .option('--expires-in-days <days>', 'life of the token (default: 90)', positiveInteger)
    .addHelpText('after', ROLES)
    .addHelpText('after', example('holdfast token create --name "enrolment desk" --role registrar'));
  command.action(async (options: CreateOptions) => {
    const session = openServiceSession(command, surroundings);
    const authorityIds: string[] = [];
    for (const given of options.authority ?? []) authorityIds.push((await findAuthority(session.client, given)).id);
    const body = {
      name: options.name,
      roles: options.role,
      authorityIds: options.authority === undefined ? null : authorityIds,
      expiresInDays: options.expiresInDays,
    };
    const token = await session.client.send({ method: 'POST', path: 'tokens', body }, newTokenSchema);
    session.output.text(token.secret, token);
    session.output.note(
      `Token ${token.name} (${token.roles.join(', ')}; authorities: ${authoritiesText(token.authorityIds)}), ` +
        `ends ${momentText(token.expiresAt)}. It is shown this once.`,
    );
  });
}
