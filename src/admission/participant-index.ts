/** What admission knows, in memory: the registry's records as of a `seq`, found by what callers show. */
import type { NumericDate } from '../federation/time.ts';
import type {
  KnownApi,
  KnownApplication,
  KnownAuthority,
  KnownAuthorizationServer,
  KnownCertificate,
  KnownEnforcementPoint,
  KnownException,
  KnownOrganisation,
  KnownRecords,
  KnownRole,
  KnownRoleAssignment,
  KnownTokenIssuer,
  KnownTrustListEntry,
  RecordKind,
} from '../registry/participants/known-participants.ts';
import { CertificateIndex } from './certificate-index.ts';
import { CertifiedKeyIndex } from './certified-key-index.ts';
import type { GivenRole, KnownState } from './known-state.ts';
import { Grouping, Table } from './record-tables.ts';

/** In the order in which they are read: a record comes after those that it names. */
export const RECORD_KINDS = [
  ...['authority', 'trust_list_entry', 'organisation', 'role', 'role_assignment', 'entity', 'entity_exception'],
  ...['credential', 'authorization_server', 'api_resource', 'enforcement_point', 'token_issuer'],
] as readonly RecordKind[];

/** Where the records come from. */
export interface ParticipantSource {
  /** The records of these ids that are there and count for admission. */
  read<Kind extends RecordKind>(kind: Kind, ids: readonly string[]): Promise<KnownRecords[Kind][]>;
  /** All of them, in pieces. */
  readAll<Kind extends RecordKind>(kind: Kind): AsyncIterable<KnownRecords[Kind][]>;
  /** The keys, as SHA-256 over SubjectPublicKeyInfo, of these credentials and of all credentials of these entities. */
  credentialKeys(credentialIds: readonly string[], entityIds: readonly string[]): Promise<string[]>;
}

/** One row of the audit, as far as it matters here. */
export interface RecordChange {
  seq: number;
  subjectKind: string;
  subjectId: string;
}

type Tables = { readonly [Kind in RecordKind]: Table<KnownRecords[Kind]> };

/** All records, and what finds them. */
interface Known {
  tables: Tables;
  certificates: CertificateIndex;
  certifiedKeys: CertifiedKeyIndex;
  names: Grouping<KnownApplication>;
  exceptions: Grouping<KnownException>;
  transportAnchors: Grouping<KnownTrustListEntry>;
  pointsByToken: Grouping<KnownEnforcementPoint>;
  pointsByClient: Grouping<KnownEnforcementPoint>;
  tokenIssuers: Grouping<KnownTokenIssuer>;
}

function nothingKnown(): Known {
  const found = {
    certifiedKeys: new CertifiedKeyIndex(),
    names: new Grouping<KnownApplication>(({ entityIdentifier }) => entityIdentifier),
    exceptions: new Grouping<KnownException>(({ applicationId }) => applicationId),
    transportAnchors: new Grouping<KnownTrustListEntry>(({ purpose, authorityId }) =>
      purpose === 'transport' ? authorityId : null,
    ),
    pointsByToken: new Grouping<KnownEnforcementPoint>(({ tokenDigest }) => tokenDigest),
    pointsByClient: new Grouping<KnownEnforcementPoint>(({ tokenDigest, clientX5tS256 }) =>
      tokenDigest === null ? clientX5tS256 : null,
    ),
    tokenIssuers: new Grouping<KnownTokenIssuer>(({ authorityId }) => authorityId),
  };
  const entity = new Table(found.names, found.certifiedKeys);
  const certificates = new CertificateIndex(entity);
  const tables = {
    entity,
    authority: new Table<KnownAuthority>(),
    trust_list_entry: new Table(found.transportAnchors),
    organisation: new Table<KnownOrganisation>(),
    role: new Table<KnownRole>(),
    role_assignment: new Table<KnownRoleAssignment>(),
    entity_exception: new Table(found.exceptions),
    credential: new Table(certificates),
    authorization_server: new Table<KnownAuthorizationServer>(),
    api_resource: new Table<KnownApi>(),
    enforcement_point: new Table(found.pointsByToken, found.pointsByClient),
    token_issuer: new Table(found.tokenIssuers),
  };
  return { tables, certificates, ...found };
}

export class ParticipantIndex {
  readonly #source: ParticipantSource;
  #known = nothingKnown();
  #seq = 0;
  /** Whatever reads waits for what was begun before: an older answer never takes the place of a newer one. */
  #reading: Promise<void> = Promise.resolve();

  constructor(source: ParticipantSource) {
    this.#source = source;
  }

  /** Records of each kind, for those who watch its memory. */
  get sizes(): Readonly<Record<RecordKind, number>> {
    return Object.fromEntries(RECORD_KINDS.map((kind) => [kind, this.#known.tables[kind].size])) as Record<
      RecordKind,
      number
    >;
  }

  /**
   * Reads everything anew, which is seen once all of it is there.
   * @param seq all that is read is at least as new
   */
  async load(seq: number): Promise<void> {
    await this.#inTurn(async () => {
      const known = nothingKnown();
      for (const kind of RECORD_KINDS) await this.#loadAll(kind, known.tables);
      this.#known = known;
      this.#seq = Math.max(this.#seq, seq);
    });
  }

  async #inTurn(read: () => Promise<void>): Promise<void> {
    const turn = this.#reading.then(read);
    this.#reading = turn.catch(() => {});
    await turn;
  }

  async #loadAll<Kind extends RecordKind>(kind: Kind, tables: Tables): Promise<void> {
    const table: Table<KnownRecords[Kind]> = tables[kind];
    for await (const records of this.#source.readAll(kind)) for (const record of records) table.put(record);
  }

  /**
   * Takes over whole changes. All of them are read before the first is seen, so that nobody sees half a change: what
   * fails changes nothing, and may come again.
   */
  async follow(changes: readonly RecordChange[]): Promise<void> {
    await this.#inTurn(async () => {
      const all = [...changes, ...(await this.#changedBeside(changes))];
      const applied = await Promise.all(RECORD_KINDS.map((kind) => this.#prepare(kind, all)));
      for (const apply of applied) apply();
      for (const { seq } of changes) this.#seq = Math.max(this.#seq, seq);
    });
  }

  /** Applications whose Federation Entity Keys are judged by what changed: credentials of the same keys, organisations. */
  async #changedBeside(changes: readonly RecordChange[]): Promise<RecordChange[]> {
    const { certifiedKeys } = this.#known;
    const idsOf = (kind: RecordKind) =>
      changes.filter(({ subjectKind }) => subjectKind === kind).map(({ subjectId }) => subjectId);
    const [credentials, entities] = [idsOf('credential'), idsOf('entity')];
    const isAsked = certifiedKeys.size > 0 && credentials.length + entities.length > 0;
    const keys = isAsked ? await this.#source.credentialKeys(credentials, entities) : [];
    const ids = new Set([
      ...idsOf('organisation').flatMap((id) => certifiedKeys.idsOfOrganisation(id)),
      ...keys.flatMap((spkiSha256) => certifiedKeys.idsOfKey(spkiSha256)),
    ]);
    return [...ids].map((subjectId) => ({ seq: this.#seq, subjectKind: 'entity', subjectId }));
  }

  async #prepare<Kind extends RecordKind>(kind: Kind, changes: readonly RecordChange[]): Promise<() => void> {
    const changed = changes.filter(({ subjectKind }) => subjectKind === kind).map(({ subjectId }) => subjectId);
    const ids = [...new Set(changed)];
    if (ids.length === 0) return () => {};
    const records = await this.#source.read(kind, ids);
    const table: Table<KnownRecords[Kind]> = this.#known.tables[kind];
    return () => {
      for (const id of ids) table.remove(id);
      for (const record of records) table.put(record);
    };
  }

  /**
   * What is known now.
   * @param ageSeconds since the registry last confirmed that nothing is newer
   */
  at(ageSeconds: number, now: NumericDate): KnownState {
    return new StateOfIndex(this.#known, this.#seq, ageSeconds, now);
  }
}

class StateOfIndex implements KnownState {
  readonly seq: number;
  readonly ageSeconds: number;
  readonly #known: Known;
  readonly #now: NumericDate;

  constructor(known: Known, seq: number, ageSeconds: number, now: NumericDate) {
    this.#known = known;
    this.seq = seq;
    this.ageSeconds = ageSeconds;
    this.#now = now;
  }

  /** What the authority recorded as a credential is judged by that record alone. */
  certificates(x5tS256: string, authorityId: string): readonly KnownCertificate[] {
    const { certificates, certifiedKeys, transportAnchors } = this.#known;
    const recorded = certificates.get(x5tS256, authorityId);
    if (recorded.length > 0) return recorded;
    return certifiedKeys.get(x5tS256, authorityId, transportAnchors.get(authorityId), this.#now);
  }

  applicationOf(certificate: KnownCertificate): KnownApplication | undefined {
    return this.#known.certificates.applicationOf(certificate);
  }

  application(id: string): KnownApplication | undefined {
    return this.#known.tables.entity.get(id);
  }

  applicationsNamed(entityIdentifier: string): readonly KnownApplication[] {
    return this.#known.names.get(entityIdentifier);
  }

  /** Ended records keep their name until another takes it; ids grow with time, so the last one is the present one. */
  applicationNamed(authorityId: string, entityIdentifier: string): KnownApplication | undefined {
    return this.applicationsNamed(entityIdentifier).findLast((application) => application.authorityId === authorityId);
  }

  organisation(id: string): KnownOrganisation | undefined {
    return this.#known.tables.organisation.get(id);
  }

  roles({ roleAssignmentIds }: KnownApplication): GivenRole[] {
    const { tables } = this.#known;
    return roleAssignmentIds.flatMap((id) => {
      const assignment = tables.role_assignment.get(id);
      const role = assignment && tables.role.get(assignment.roleId);
      if (assignment === undefined || role === undefined || assignment.isRemoved || role.isRetired) return [];
      const { roleId, jurisdictions, validFrom, validTo } = assignment;
      return [{ roleId, name: role.name, jurisdictions, validFrom, validTo }];
    });
  }

  exceptions(applicationId: string): readonly KnownException[] {
    return this.#known.exceptions.get(applicationId);
  }

  api(id: string): KnownApi | undefined {
    const { tables } = this.#known;
    const api = tables.api_resource.get(id);
    const server = api && tables.authorization_server.get(api.authorizationServerId);
    if (api === undefined || server === undefined) return undefined;
    const ends = [api.retiresAt, server.retiresAt].filter((end) => end !== null);
    return ends.length === 0 ? api : { ...api, retiresAt: Math.min(...ends) };
  }

  authorizationServer(id: string): KnownAuthorizationServer | undefined {
    return this.#known.tables.authorization_server.get(id);
  }

  isTransportListed(authorityId: string): boolean {
    // An authority that is not known yet believes nobody.
    return this.#known.tables.authority.get(authorityId)?.listedPurposes.includes('transport') ?? true;
  }

  transportAnchor(authorityId: string, x5tS256: string): KnownTrustListEntry | undefined {
    return this.#known.transportAnchors.get(authorityId).find((entry) => entry.x5tS256 === x5tS256);
  }

  enforcementPoint(id: string): KnownEnforcementPoint | undefined {
    return this.#known.tables.enforcement_point.get(id);
  }

  enforcementPointOfToken(digest: string): KnownEnforcementPoint | undefined {
    return this.#known.pointsByToken.get(digest).at(-1);
  }

  enforcementPointOfClient(x5tS256: string): KnownEnforcementPoint | undefined {
    return this.#known.pointsByClient.get(x5tS256).at(-1);
  }

  tokenIssuer(authorityId: string, issuer: string): KnownTokenIssuer | undefined {
    return this.#known.tokenIssuers.get(authorityId).find((known) => known.issuer === issuer);
  }

  introspectingIssuers(authorityId: string): readonly KnownTokenIssuer[] {
    return this.#known.tokenIssuers.get(authorityId).filter(({ introspection }) => introspection !== null);
  }
}
