/** Finds the record whose changes a person wants to see: of any kind, by its id, Entity Identifier or name. */
import { isRecordId } from '../registry/record-id.ts';
import type { ApiClient } from './api-client.ts';
import {
  auditRowSchema,
  authoritySchema,
  listedEntitySchema,
  organisationSchema,
  trustAnchorSchema,
} from './api-records.ts';
import { CommandError } from './command-error.ts';
import { type Named, only, preferLive } from './find-record.ts';

const EVERYTHING = { limit: Number.POSITIVE_INFINITY };

export interface SubjectFilter {
  authorityId?: string;
  subjectKind?: string;
}

/** How the records of a kind that carry a name are found; an entity that was enrolled anew counts once. */
const KINDS: Readonly<
  Record<string, (client: ApiClient, given: string, authorityId?: string) => Promise<readonly Named[]>>
> = {
  authority: async (client, given) => {
    const { items } = await client.list('authorities', {}, authoritySchema, EVERYTHING);
    return items.filter(({ entityIdentifier, name }) => entityIdentifier === given || name === given);
  },
  organisation: async (client, given, authorityId) => {
    const { items } = await client.list('organisations', { authorityId }, organisationSchema, EVERYTHING);
    return preferLive(items.filter(({ legalName }) => legalName === given));
  },
  entity: async (client, entityIdentifier, authorityId) => {
    if (!URL.canParse(entityIdentifier)) return [];
    const { items } = await client.list('entities', { entityIdentifier, authorityId }, listedEntitySchema, EVERYTHING);
    return preferLive(items);
  },
  trust_anchor: async (client, given, authorityId) => {
    const { items } = await client.list('trust-anchors', { authorityId }, trustAnchorSchema, EVERYTHING);
    return items.filter(({ entityIdentifier }) => entityIdentifier === given);
  },
};

/**
 * The id under which the audit trail knows what is meant; what the trail knows by this very id comes first.
 * @throws CommandError refused when there is none, usage when there are several
 */
export async function findSubjectId(client: ApiClient, given: string, filter: SubjectFilter): Promise<string> {
  if (await isInTrail(client, given, filter)) return given;
  const { authorityId, subjectKind } = filter;
  const found: Named[] = [];
  for (const [kind, find] of isRecordId(given) ? [] : Object.entries(KINDS)) {
    if (subjectKind !== undefined && subjectKind !== kind) continue;
    for (const record of await find(client, given, authorityId)) found.push({ ...record, state: kind });
  }
  if (found.length > 0) return only(found, 'record', given).id;
  throw new CommandError('refused', `the audit trail knows no ${subjectKind ?? 'record'} ${given}`, {
    hint: 'What was removed is known by its id: `holdfast audit --all --json` shows it as subjectId.',
    code: 'not_found',
  });
}

/** Ids are of printable ASCII: what is not can only be a name. */
async function isInTrail(client: ApiClient, subjectId: string, filter: SubjectFilter): Promise<boolean> {
  if (!/^[\x21-\x7e]{1,200}$/.test(subjectId)) return false;
  const { items } = await client.list('audit', { ...filter, subjectId }, auditRowSchema, { limit: 1 });
  return items.length > 0;
}
