/** A registry in which people look for something: entities that differ in name, type, state and mode, and what is asked. */
import { type Differences, ENTITIES_PER_ORGANISATION } from './fill-registry.ts';
import { subordinateIdentifier } from './registry-records.ts';

const PLACES = 'Antwerp Bergen Bologna Cork Delft Dresden Girona Graz Kaunas Lund Lyon Malmo Nancy Oulu Porto Riga';
const KINDS = 'Academy Archive Bank Broker Clinic College Council Hospital Insurer Library Museum School Utility';
const PLACE_NAMES = PLACES.split(' ');
const KIND_NAMES = KINDS.split(' ');

/** What an entity of the registry is found by. */
export interface SearchedEntity {
  index: number;
  identifier: string;
  /** Place of the organisation in the order of their creation. */
  organisation: number;
  name: string;
  entityType: string;
  state: 'active' | 'pending' | 'suspended' | 'withdrawn' | 'revoked';
  mode: 'live' | 'test';
}

/** Everything about an entity follows from its index, so that each answer can be held against what it must be. */
export function searchedEntity(index: number): SearchedEntity {
  return {
    index,
    identifier: subordinateIdentifier(index),
    organisation: Math.floor(index / ENTITIES_PER_ORGANISATION),
    name: nameOf(index),
    entityType: typeOf(index),
    state: stateOf(index),
    mode: index % 3 === 2 ? 'test' : 'live',
  };
}

export const differencesOf: Differences = (index) => {
  const { name, entityType, state, mode } = searchedEntity(index);
  return {
    metadata: { [entityType]: { organization_name: name } },
    ...{ registeredEntityTypes: [entityType], verifiedEntityTypes: [entityType], state, mode },
  };
};

/** As spread as names are: each pair of words belongs to a few hundred. */
function nameOf(index: number): string {
  const place = PLACE_NAMES[(index * 7) % PLACE_NAMES.length];
  const kind = KIND_NAMES[Math.floor(index / PLACE_NAMES.length) % KIND_NAMES.length];
  return `${place} ${kind} ${index}`;
}

function typeOf(index: number): string {
  if (index % 1000 === 1) return 'oauth_authorization_server';
  return index % 20 === 0 ? 'openid_provider' : 'openid_relying_party';
}

function stateOf(index: number): SearchedEntity['state'] {
  if (index % 1000 === 7) return 'revoked';
  if (index % 100 === 5) return 'suspended';
  if (index % 50 === 3) return 'pending';
  return index % 25 === 9 ? 'withdrawn' : 'active';
}

/** One thing that somebody looks for. */
export interface Search {
  /** Which kind of question it is, for the report. */
  kind: string;
  query: Record<string, string>;
  /** What is found, and nothing else is. */
  finds: (entity: SearchedEntity) => boolean;
}

/**
 * What people ask a directory of partners, each as often as another.
 * @param somebody whom the questions are about that are about somebody
 * @param organisationId whose that entity is
 */
export function searches(somebody: SearchedEntity, organisationId: string): Search[] {
  const [place, kind] = somebody.name.split(' ') as [string, string];
  const text = (wanted: string) => (entity: SearchedEntity) =>
    entity.identifier.includes(wanted) || entity.name.toLowerCase().includes(wanted.toLowerCase());
  const isTheirs = ({ organisation }: SearchedEntity) => organisation === somebody.organisation;
  const host = new URL(somebody.identifier).hostname;
  return [
    { kind: 'everybody', query: {}, finds: () => true },
    {
      kind: 'identifier',
      query: { entityIdentifier: somebody.identifier },
      finds: ({ index }) => index === somebody.index,
    },
    { kind: 'text: a host', query: { text: host }, finds: text(host) },
    { kind: 'text: a name', query: { text: `${place} ${kind}` }, finds: text(`${place} ${kind}`) },
    { kind: 'text: a word', query: { text: kind.toUpperCase() }, finds: text(kind) },
    { kind: 'text: in all', query: { text: 'partners.example' }, finds: () => true },
    { kind: 'text: in none', query: { text: `${place} Zoo` }, finds: () => false },
    { kind: 'type', query: { entityType: 'openid_provider' }, finds: (one) => one.entityType === 'openid_provider' },
    {
      ...{ kind: 'a rare type', query: { entityType: 'oauth_authorization_server' } },
      finds: ({ entityType }) => entityType === 'oauth_authorization_server',
    },
    { kind: 'state', query: { state: 'pending' }, finds: ({ state }) => state === 'pending' },
    { kind: 'a rare state', query: { state: 'revoked' }, finds: ({ state }) => state === 'revoked' },
    { kind: 'organisation', query: { organisationId }, finds: isTheirs },
    {
      ...{ kind: 'organisation and state', query: { organisationId, state: 'active' } },
      finds: (one) => isTheirs(one) && one.state === 'active',
    },
    {
      ...{ kind: 'state and mode', query: { state: 'suspended', mode: 'test' } },
      finds: ({ state, mode }) => state === 'suspended' && mode === 'test',
    },
    {
      ...{ kind: 'text, type and state', query: { text: kind, entityType: 'openid_provider', state: 'active' } },
      finds: (one) => text(kind)(one) && one.entityType === 'openid_provider' && one.state === 'active',
    },
  ];
}
