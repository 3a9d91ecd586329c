/** `holdfast role domain`: what roles belong to. */
import type { Command } from 'commander';
import { findAuthority } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../../list-options.ts';
import { recordVersion } from '../../option-values.ts';
import { showRecord } from '../../record-names.ts';
import { requireSomeChange } from '../../require-change.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { findDomain } from '../find-role.ts';
import { domainSchema } from '../role-records.ts';
import { DOMAIN_COLUMNS, describeDomain, domainRow } from '../role-report.ts';

export function addDomainCommand(parent: Command, surroundings: Surroundings): void {
  const domain = parent
    .command('domain')
    .summary('authorisation domains, which roles belong to')
    .description('Authorisation domains: what the roles of an authority belong to, such as open banking or health.')
    .addHelpText('after', example('holdfast role domain list'));
  addAddCommand(domain, surroundings);
  addListCommand(domain, surroundings);
  addUpdateCommand(domain, surroundings);
}

interface AddOptions {
  authority?: string;
  description?: string;
  idempotencyKey?: string;
}

function addAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .description('Add an authorisation domain to an authority.')
    .argument('<name>', 'what it is called')
    .option('--authority <authority>', 'needed where there are several')
    .option('--description <text>', 'what it is about')
    .option('--idempotency-key <key>', 'repeating the command with this key adds nothing twice')
    .addHelpText('after', example('holdfast role domain add "Open Banking"'));
  command.action(async (name: string, { authority, description, idempotencyKey }: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const { id: authorityId } = await findAuthority(session.client, authority);
    const body = { authorityId, name, description };
    const request = { method: 'POST', path: 'authorisation-domains', body, idempotencyKey } as const;
    const added = await session.client.send(request, domainSchema);
    await showRecord(session, added, describeDomain);
  });
}

function addListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List authorisation domains.'))
    .option('--authority <authority>', 'only those of one authority')
    .addHelpText('after', example('holdfast role domain list'));
  command.action(async (options: ListOptions & { authority?: string }) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const listing = { record: domainSchema, columns: DOMAIN_COLUMNS, row: domainRow };
    await showList(session, { path: 'authorisation-domains', query: { authorityId }, ...listing }, options);
  });
}

function addUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .description('Change what an authorisation domain is called and says of itself.')
    .argument('<domain>', 'id, or name')
    .option('--name <name>', 'another name')
    .option('--description <text>', 'what it is about')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example('holdfast role domain update "Open Banking" --description "Payments and accounts"'));
  command.action(async (given: string, options: { name?: string; description?: string; ifMatch?: number }) => {
    const session = openServiceSession(command, surroundings);
    const body = { name: options.name, description: options.description };
    requireSomeChange(body);
    const { id, version } = await findDomain(session.client, given);
    const path = `authorisation-domains/${id}`;
    const request = { method: 'PATCH', path, body, ifMatch: options.ifMatch ?? version } as const;
    const changed = await session.client.send(request, domainSchema);
    await showRecord(session, changed, describeDomain);
  });
}
