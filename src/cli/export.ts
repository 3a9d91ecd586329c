/** `holdfast export`: the whole registry as one JSON document, the same text for the same registry. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import {
  type AuthorityRecord,
  authoritySchema,
  type EntityRecord,
  entitySchema,
  listedEntitySchema,
  type OrganisationRecord,
  organisationSchema,
  readinessSchema,
  trustAnchorSchema,
} from './api-records.ts';
import { readKeys } from './authority/keys/read-keys.ts';
import { example } from './help-text.ts';
import { apiResourceSchema, authorizationServerSchema } from './offers/offer-records.ts';
import { unwritable } from './output-file.ts';
import { printable } from './printable.ts';
import { domainSchema, organisationRoleSchema, roleSchema } from './role/role-records.ts';
import { openServiceSession } from './session.ts';
import type { Surroundings } from './surroundings.ts';

export const EXPORT_FORMAT = 'holdfast-export-1';

export function addExportCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('export')
    .summary('the whole registry as one JSON document')
    .description(
      'Write authorities, organisations, entities, roles, what entities offer, and Trust Anchors of others as JSON, as far\n' +
        'as the token reaches.\n' +
        'Public keys only. Sorted, so that two exports can be compared with diff.',
    )
    .option('--out <file>', 'write to a file instead of standard output')
    .addHelpText('after', example('holdfast export --out registry.json'));
  command.action(async ({ out }: { out?: string }) => {
    const { client, output, stdout } = openServiceSession(command, surroundings);
    const first = await currentSeq(client);
    const authorities = await exportAuthorities(client);
    const last = await currentSeq(client);
    if (first !== last)
      output.warn(`the registry changed meanwhile, from seq ${first} to ${last}; run it again for one state`);
    const document = printable(
      `${JSON.stringify(sorted({ format: EXPORT_FORMAT, seq: last, authorities }), null, 2)}\n`,
    );
    if (out === undefined) stdout.write(document);
    else {
      await write(out, document);
      output.result({ file: out, seq: last }, (report) => report.line(`the registry at change ${last} in ${out}`));
    }
  });
}

async function currentSeq(client: ApiClient): Promise<number> {
  return (await client.send({ method: 'GET', path: '/readyz' }, readinessSchema)).seq;
}

async function exportAuthorities(client: ApiClient): Promise<unknown[]> {
  const authorities = await listAll(client, 'authorities', {}, authoritySchema);
  const exported: unknown[] = [];
  for (const authority of authorities.toSorted(byEntityIdentifier)) {
    exported.push(await exportAuthority(client, authority));
  }
  return exported;
}

async function exportAuthority(client: ApiClient, authority: AuthorityRecord): Promise<unknown> {
  const query = { authorityId: authority.id };
  const organisations = await listAll(client, 'organisations', query, organisationSchema);
  const entities = await exportEntities(client, query);
  const authorisationDomains = await listAll(client, 'authorisation-domains', query, domainSchema);
  const roles = await listAll(client, 'roles', query, roleSchema);
  const authorizationServers = await listAll(client, 'authorization-servers', query, authorizationServerSchema);
  const apiResources = await listAll(client, 'api-resources', query, apiResourceSchema);
  const trustAnchors = await listAll(client, 'trust-anchors', query, trustAnchorSchema);
  return {
    ...authority,
    keys: (await readKeys(client, authority.id)).toSorted((a, b) => compareText(a.kid, b.kid)),
    organisations: (await withRoles(client, organisations)).toSorted(
      (a, b) => compareText(a.legalName, b.legalName) || compareText(a.id, b.id),
    ),
    authorisationDomains: authorisationDomains.toSorted((a, b) => compareText(a.id, b.id)),
    roles: roles.toSorted((a, b) => compareText(a.id, b.id)),
    entities: entities.toSorted(byEntityIdentifier),
    authorizationServers: authorizationServers.toSorted((a, b) => compareText(a.issuer, b.issuer)),
    apiResources: apiResources.toSorted((a, b) => compareText(a.id, b.id)),
    trustAnchors: trustAnchors.toSorted(byEntityIdentifier),
  };
}

/** How many records are read at a time. */
const READ_AT_ONCE = 8;

/** What each may be, with what its regulator says. */
async function withRoles(
  client: ApiClient,
  organisations: readonly OrganisationRecord[],
): Promise<(OrganisationRecord & { roles: unknown })[]> {
  return await inBatches(organisations, async (organisation) => {
    const roles = await listAll(client, `organisations/${organisation.id}/roles`, {}, organisationRoleSchema);
    return { ...organisation, roles: roles.toSorted((a, b) => compareText(a.id, b.id)) };
  });
}

/** A list leaves out what the checks saw; an export has all of it. */
async function exportEntities(client: ApiClient, query: { authorityId: string }): Promise<EntityRecord[]> {
  const listed = await listAll(client, 'entities', query, listedEntitySchema);
  return await inBatches(listed, ({ id }) => client.send({ method: 'GET', path: `entities/${id}` }, entitySchema));
}

async function inBatches<T, R>(items: readonly T[], read: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += READ_AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + READ_AT_ONCE).map(read))));
  }
  return results;
}

async function listAll<T>(
  client: ApiClient,
  path: string,
  query: { authorityId?: string },
  record: z.ZodType<T>,
): Promise<T[]> {
  return (await client.list(path, query, record, { limit: Number.POSITIVE_INFINITY })).items;
}

interface Identified {
  entityIdentifier: string;
  id: string;
}

function byEntityIdentifier(a: Identified, b: Identified): number {
  return compareText(a.entityIdentifier, b.entityIdentifier) || compareText(a.id, b.id);
}

/** By code units, so that the order depends on no locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The same value with the members of every object in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).toSorted(([a], [b]) => compareText(a, b));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}

async function write(file: string, document: string): Promise<void> {
  try {
    await writeFile(file, document);
  } catch (error) {
    throw unwritable(file, error);
  }
}
