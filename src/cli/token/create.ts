/** `holdfast token create` */
import type { Command } from 'commander';
import { type AuthorityRecord, newTokenSchema, type OrganisationRecord } from '../api-records.ts';
import { findAuthority, findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { positiveInteger, repeatable } from '../option-values.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { momentText } from '../times.ts';
import { reachText } from './token-report.ts';

interface CreateOptions {
  name: string;
  role: string[];
  authority?: string[];
  organisation?: string[];
  expiresInDays?: number;
}

const DESCRIPTION = `Make a token for a person or a program and print its secret, once, alone on standard output. It reaches no further than
yours. With --organisation it is a member's: it sees and changes what belongs to these organisations, and for it nothing
else is there.`;

const ROLES = `
Roles of those who work for authorities:
  admin      everything, except to take keys that are handed over
  registrar  record, update and check organisations and entities; take keys that are handed over
  approver   approve, reject, suspend, reinstate, withdraw, revoke
  auditor    read everything, the audit trail included

Roles of members, with --organisation:
  organisation-admin  keep contacts, APIs and entities, make tokens for technical contacts
  technical-contact   keep entities running: keys, credentials, configurations, checks`;

export function addTokenCreateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('create')
    .summary('make a token for a person or a program')
    .description(DESCRIPTION)
    .requiredOption('--name <name>', 'whose token it is; shown in the audit trail')
    .requiredOption('--role <role>', 'what it may do, see below; may be repeated', repeatable)
    .option('--authority <authority>', 'an authority that it reaches; may be repeated (default: all)', repeatable)
    .option(
      '--organisation <organisation>',
      "makes it a member's: of this organisation, by id, or legal name if unique; may be repeated",
      repeatable,
    )
    .option('--expires-in-days <days>', 'life of the token (default: 90)', positiveInteger)
    .addHelpText('after', ROLES)
    .addHelpText(
      'after',
      example(
        'holdfast token create --name "enrolment desk" --role registrar',
        'holdfast token create --name "Ann at Example Bank" --role organisation-admin --organisation "Example Bank"',
      ),
    );
  command.action(async (options: CreateOptions) => {
    const session = openServiceSession(command, surroundings);
    const authorities: AuthorityRecord[] = [];
    for (const given of options.authority ?? []) authorities.push(await findAuthority(session.client, given));
    const organisations: OrganisationRecord[] = [];
    for (const given of options.organisation ?? []) organisations.push(await findOrganisation(session.client, given));
    const body = {
      name: options.name,
      roles: options.role,
      authorityIds: options.authority === undefined ? null : authorities.map(({ id }) => id),
      organisationIds: options.organisation === undefined ? null : organisations.map(({ id }) => id),
      expiresInDays: options.expiresInDays,
    };
    const token = await session.client.send({ method: 'POST', path: 'tokens', body }, newTokenSchema);
    session.output.text(token.secret, token);
    const names = new Map([
      ...authorities.map(({ id, entityIdentifier }) => [id, entityIdentifier] as const),
      ...organisations.map(({ id, legalName }) => [id, legalName] as const),
    ]);
    const kind = token.organisationIds === null ? 'authorities' : 'organisations';
    session.output.note(
      `Token ${token.name} (${token.roles.join(', ')}; ${kind}: ${reachText(token, names)}), ` +
        `ends ${momentText(token.expiresAt)}. It is shown this once.`,
    );
  });
}
