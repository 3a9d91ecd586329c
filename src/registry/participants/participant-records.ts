/** Where an index in memory has the registry's records from, kind by kind. */
import type { Db } from '../../storage/connect.ts';
import type { KnownRecords, RecordKind } from './known-participants.ts';
import {
  PIECE,
  readCredentialKeys,
  readKnownApis,
  readKnownApplications,
  readKnownAuthorities,
  readKnownAuthorizationServers,
  readKnownCertificates,
  readKnownEnforcementPoints,
  readKnownExceptions,
  readKnownOrganisations,
  readKnownRoleAssignments,
  readKnownRoles,
  readKnownTokenIssuers,
  readKnownTrustListEntries,
  type Selection,
} from './read-participants.ts';

const READERS: { readonly [Kind in RecordKind]: (db: Db, selection: Selection) => Promise<KnownRecords[Kind][]> } = {
  authority: readKnownAuthorities,
  trust_list_entry: readKnownTrustListEntries,
  organisation: readKnownOrganisations,
  role: readKnownRoles,
  role_assignment: readKnownRoleAssignments,
  entity: readKnownApplications,
  entity_exception: readKnownExceptions,
  credential: readKnownCertificates,
  authorization_server: readKnownAuthorizationServers,
  api_resource: readKnownApis,
  enforcement_point: readKnownEnforcementPoints,
  token_issuer: readKnownTokenIssuers,
};

export class ParticipantRecords {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** The records of these ids that are there and count for admission. */
  async read<Kind extends RecordKind>(kind: Kind, ids: readonly string[]): Promise<KnownRecords[Kind][]> {
    return await READERS[kind](this.#db, { ids });
  }

  /** The keys of these credentials and of all credentials of these entities. */
  async credentialKeys(credentialIds: readonly string[], entityIds: readonly string[]): Promise<string[]> {
    return await readCredentialKeys(this.#db, credentialIds, entityIds);
  }

  /** All of them, in pieces, in the order of their ids. Texts that many share are there once. */
  async *readAll<Kind extends RecordKind>(kind: Kind): AsyncGenerator<KnownRecords[Kind][]> {
    const texts = new Map<string, string>();
    let after: string | undefined;
    do {
      const records = await READERS[kind](this.#db, { after });
      for (const record of records) shareTexts(record, texts);
      yield records;
      after = records.length < PIECE ? undefined : records.at(-1)?.id;
    } while (after !== undefined);
  }
}

/** Members by which records name others, or what there are few of. */
const SHARED: ReadonlySet<string> = new Set([
  ...['authorityId', 'organisationId', 'applicationId', 'mode', 'environment', 'state', 'anchor'],
]);

function shareTexts(record: object, texts: Map<string, string>): void {
  const members = record as Record<string, unknown>;
  for (const [name, value] of Object.entries(members)) {
    if (typeof value === 'object' && value !== null) shareTexts(value, texts);
    if (typeof value !== 'string' || !SHARED.has(name)) continue;
    const known = texts.get(value);
    if (known === undefined) texts.set(value, value);
    else members[name] = known;
  }
}
