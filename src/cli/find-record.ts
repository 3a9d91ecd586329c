/** Finds the record that a person means: by its id or, where that is unique, by its Entity Identifier or name. */
import type { z } from 'zod';
import { isRecordId } from '../registry/record-id.ts';
import type { ApiClient, Query } from './api-client.ts';
import {
  type AuthorityRecord,
  authoritySchema,
  type ContactRecord,
  type EntityRecord,
  entitySchema,
  listedEntitySchema,
  type OrganisationRecord,
  organisationSchema,
  type TokenRecord,
  type TrustAnchorRecord,
  tokenSchema,
  trustAnchorSchema,
} from './api-records.ts';
import { CommandError } from './command-error.ts';

const EVERYTHING = { limit: Number.POSITIVE_INFINITY };
/** Commands that are not called like the kind of their records. */
const COMMANDS: Readonly<Record<string, string>> = {
  'trust anchor': 'anchor',
  contact: 'organisation contact',
};
const LIVE_STATES = ['pending', 'active', 'suspended'];

/**
 * The authority that is meant; without a name the only one that the token reaches.
 * @throws CommandError refused when there is none, usage when there are several
 */
export async function findAuthority(client: ApiClient, given: string | undefined): Promise<AuthorityRecord> {
  if (given !== undefined && isRecordId(given)) return await read(client, `authorities/${given}`, authoritySchema);
  const { items } = await client.list('authorities', {}, authoritySchema, EVERYTHING);
  const meant = items.filter((authority) => given === undefined || isNamed(authority, given));
  if (given === undefined && meant.length > 1) {
    throw new CommandError('usage', `several authorities are reachable: ${meant.map(described).join(', ')}`, {
      hint: 'Say which one with --authority.',
      code: 'authority_ambiguous',
    });
  }
  if (given === undefined && meant.length === 0) {
    throw new CommandError('refused', 'there is no authority that this token reaches', {
      hint: 'An admin makes one with `holdfast authority add`.',
      code: 'not_found',
    });
  }
  return only(meant, 'authority', given ?? '');
}

/** @throws CommandError refused, usage */
export async function findOrganisation(
  client: ApiClient,
  given: string,
  authorityId?: string,
): Promise<OrganisationRecord> {
  if (isRecordId(given)) return await read(client, `organisations/${given}`, organisationSchema);
  const { items } = await client.list('organisations', { authorityId }, organisationSchema, EVERYTHING);
  return only(preferLive(items.filter((organisation) => organisation.legalName === given)), 'organisation', given);
}

/** A contact by its id, or by its address if the organisation has it once. @throws CommandError refused, usage */
export function findContact({ contacts, legalName }: OrganisationRecord, given: string): ContactRecord {
  const meant = contacts.filter(({ id, email }) => id === given || email === given);
  return only(meant, 'contact', `${given} of ${legalName}`);
}

/** A closed record of an identifier is found only while no other one is open. @throws CommandError refused, usage */
export async function findEntity(client: ApiClient, given: string, authorityId?: string): Promise<EntityRecord> {
  if (isRecordId(given)) return await read(client, `entities/${given}`, entitySchema);
  const query: Query = { entityIdentifier: given, authorityId };
  const { items } = await client.list('entities', query, listedEntitySchema, EVERYTHING);
  if (items.length === 0) await requireNoLookalike(client, given, authorityId);
  const { id } = only(preferLive(items), 'entity', given);
  return await read(client, `entities/${id}`, entitySchema);
}

/** Entity Identifiers are compared as text: a slash at the end makes another one. @throws CommandError refused */
async function requireNoLookalike(client: ApiClient, given: string, authorityId?: string): Promise<void> {
  const entityIdentifier = given.endsWith('/') ? given.slice(0, -1) : `${given}/`;
  // What is no Entity Identifier at all has no lookalike.
  if (!URL.canParse(entityIdentifier)) return;
  const { items } = await client.list('entities', { entityIdentifier, authorityId }, listedEntitySchema, { limit: 1 });
  if (items.length === 0) return;
  throw new CommandError('refused', `there is no entity ${given}`, {
    hint: `There is ${entityIdentifier}: the slash at the end belongs to the identifier.`,
    code: 'not_found',
  });
}

/** @throws CommandError refused, usage */
export async function findTrustAnchor(
  client: ApiClient,
  given: string,
  authorityId?: string,
): Promise<TrustAnchorRecord> {
  if (isRecordId(given)) return await read(client, `trust-anchors/${given}`, trustAnchorSchema);
  const { items } = await client.list('trust-anchors', { authorityId }, trustAnchorSchema, EVERYTHING);
  return only(
    items.filter((anchor) => anchor.entityIdentifier === given),
    'trust anchor',
    given,
  );
}

/** @throws CommandError refused, usage */
export async function findToken(client: ApiClient, given: string): Promise<TokenRecord> {
  const { items } = await client.list('tokens', {}, tokenSchema, EVERYTHING);
  const meant = items.filter((token) => token.id === given || token.name === given);
  const usable = meant.filter((token) => token.revokedAt === null);
  return only(usable.length > 0 ? usable : meant, 'token', given);
}

async function read<T>(client: ApiClient, path: string, record: z.ZodType<T>): Promise<T> {
  return await client.send({ method: 'GET', path }, record);
}

function isNamed(authority: AuthorityRecord, given: string): boolean {
  return authority.entityIdentifier === given || authority.name === given;
}

export function preferLive<T extends { state: string }>(records: readonly T[]): readonly T[] {
  const live = records.filter((record) => LIVE_STATES.includes(record.state));
  return live.length > 0 ? live : records;
}

/** What tells one record from another in a message. */
export interface Named {
  id: string;
  name?: string | null;
  legalName?: string;
  /** What a contact is about. */
  type?: string;
  entityIdentifier?: string;
  state?: string;
}

/** The one record that is meant. @throws CommandError refused, usage */
export function only<T extends Named>(records: readonly T[], kind: string, given: string): T {
  const [record, another] = records;
  if (record !== undefined && another === undefined) return record;
  if (record === undefined) {
    throw new CommandError('refused', `there is no ${kind} ${given}`, {
      hint: `\`holdfast ${COMMANDS[kind] ?? kind} list\` shows those that there are.`,
      code: 'not_found',
    });
  }
  throw new CommandError('usage', `several records are called ${given}: ${records.map(described).join(', ')}`, {
    hint: 'Name the one you mean by its id.',
    code: 'name_ambiguous',
  });
}

function described({ id, name, legalName, type, entityIdentifier, state }: Named): string {
  return `${id} (${[entityIdentifier ?? legalName ?? type ?? name, state].filter((part) => part !== undefined).join(', ')})`;
}
