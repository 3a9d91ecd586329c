/** A registry on a fresh database, with makers for what tests start from: authorities, organisations, entities. */
import { asc, sql } from 'drizzle-orm';
import type { JsonObject } from '../../src/federation/json.ts';
import type { JwkSet } from '../../src/federation/jwk-set.ts';
import type { Actor } from '../../src/registry/actor.ts';
import { type AuditRow, RECORDED_COLUMNS } from '../../src/registry/audit/list-audit.ts';
import type { Authority, GenerateAuthorityKey } from '../../src/registry/authorities/authority.ts';
import { createAuthority, type NewAuthority } from '../../src/registry/authorities/create-authority.ts';
import { readAuthority } from '../../src/registry/authorities/read-authority.ts';
import type { ChangeContext } from '../../src/registry/change.ts';
import { inputConstraints } from '../../src/registry/claims-input.ts';
import { addEntity, type NewEntity } from '../../src/registry/entities/add-entity.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import { settingsDigest } from '../../src/registry/entities/judging-settings.ts';
import { readEntity } from '../../src/registry/entities/read-entity.ts';
import { recordChecks } from '../../src/registry/entities/record-checks.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import type { Transitioned } from '../../src/registry/life-cycle/decision.ts';
import { addOrganisation } from '../../src/registry/organisations/add-organisation.ts';
import type { Organisation } from '../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../src/registry/organisations/transition-organisation.ts';
import { recordId } from '../../src/registry/record-id.ts';
import { RegistryError } from '../../src/registry/registry-error.ts';
import type { Transition } from '../../src/registry/states.ts';
import { defineTrustMarkType, type NewTrustMarkType } from '../../src/registry/trust-marks/define-trust-mark-type.ts';
import { grantTrustMark, type NewTrustMark } from '../../src/registry/trust-marks/grant-trust-mark.ts';
import type { NamedTrustMark } from '../../src/registry/trust-marks/trust-mark.ts';
import type { TrustMarkType } from '../../src/registry/trust-marks/trust-mark-type.ts';
import { MasterKey } from '../../src/signer/sealing.ts';
import { createSigner } from '../../src/signer/signer.ts';
import type { Role } from '../../src/storage/schema/api-tokens.ts';
import { audit } from '../../src/storage/schema/audit.ts';
import type { ParticipantState } from '../../src/storage/schema/organisations.ts';
import { registryCounter } from '../../src/storage/schema/registry-counter.ts';
import { createTestDatabase, type DATABASE_KINDS, type TestDatabase } from './databases.ts';
import { NOW } from './federation.ts';
import { testKey } from './keys.ts';

/** The moment at which changes happen unless a test says otherwise. */
export const NOW_DATE = new Date(NOW * 1000);

export const ALL_ROLES: readonly Role[] = ['admin', 'registrar', 'approver', 'auditor'];

/** Someone with a token; with every role in all authorities unless a test says otherwise. */
export function actor({
  roles = ALL_ROLES,
  authorities = 'all',
  organisations = 'all',
  id = 'test-actor',
}: {
  roles?: readonly Role[];
  authorities?: 'all' | readonly string[];
  organisations?: 'all' | readonly string[];
  id?: string;
} = {}): Actor {
  return { kind: 'token', id, name: `name of ${id}`, roles, ...reach({ authorities, organisations }) };
}

function reach({ authorities, organisations }: Record<'authorities' | 'organisations', 'all' | readonly string[]>) {
  return {
    authorities: authorities === 'all' ? authorities : new Set(authorities),
    organisations: organisations === 'all' ? organisations : new Set(organisations),
  };
}

let idsMade = 0;

/** Ids in the order of their making, although the clock stands still. */
export function nextId(): string {
  return recordId(NOW_DATE.getTime() + idsMade++, 0);
}

/** Master key of all signers in tests; what it seals is worth nothing. */
export const TEST_MASTER_KEY = new MasterKey(new Uint8Array(32).fill(7));

export const testSigner = createSigner(TEST_MASTER_KEY);

export const generateTestKey: GenerateAuthorityKey = (authorityId) => testSigner.generateKey(authorityId, 'ES256');

/** What each Entity Identifier of a test ends with, so that no two tests on one database share one. */
let names = 0;

export function freshIdentifier(prefix: string): string {
  return `https://${prefix}-${++names}.example`;
}

/** Public keys, each another, that do not occur before in the same test file. */
export async function freshJwks(count = 1): Promise<JwkSet> {
  const keys = await Promise.all(Array.from({ length: count }, () => testKey('ES256', 1000 + ++names)));
  return { keys: keys.map((key) => key.jwk) };
}

export const REASON = 'a reason of the test';

/**
 * @example
 * await using registry = await openRegistry('embedded');
 * const entity = await registry.entity(await registry.organisation());
 * await transitionEntity(registry.context(), entity.id, 'approve', 'looks good');
 */
export async function openRegistry(kind: (typeof DATABASE_KINDS)[number]): Promise<TestRegistry> {
  return new TestRegistry(await createTestDatabase(kind));
}

/** A registry with an authority, and an organisation that enrols entities there. */
export async function openOrganisation(
  kind: (typeof DATABASE_KINDS)[number],
): Promise<{ registry: TestRegistry; authority: Authority; organisation: Organisation }> {
  const registry = await openRegistry(kind);
  const authority = await registry.authority();
  return { registry, authority, organisation: await registry.organisation(authority) };
}

export class TestRegistry implements AsyncDisposable {
  readonly database: TestDatabase;

  constructor(database: TestDatabase) {
    this.database = database;
  }

  get db(): TestDatabase['db'] {
    return this.database.db;
  }

  /** Makes the keys of authorities. */
  get generateKey(): GenerateAuthorityKey {
    return generateTestKey;
  }

  /** Someone makes a change at NOW_DATE. */
  context(by: Actor = actor(), changes: Partial<ChangeContext> = {}): ChangeContext {
    return {
      db: this.db,
      actor: by,
      now: NOW_DATE,
      requestId: null,
      newId: nextId,
      allowHttp: false,
      committed: async () => {},
      ...changes,
    };
  }

  /** An authority with a key, a Trust Anchor unless it has hints. */
  async authority(settings: Partial<NewAuthority> = {}): Promise<Authority> {
    const entityIdentifier = freshIdentifier('authority');
    const input = { entityIdentifier, name: 'Test Federation', ...settings };
    return await createAuthority(this.context(), input, this.generateKey);
  }

  /** An organisation of the authority, active unless told otherwise. */
  async organisation(authority: Authority, state: ParticipantState = 'active'): Promise<Organisation> {
    const contacts = [{ type: 'incident', email: 'ops@partner.example' }] as const;
    const fields = { legalName: 'Partner Ltd', contacts };
    let organisation = await addOrganisation(this.context(), authority.id, fields);
    for (const transition of WAY_TO[state]) {
      organisation = withoutEffects(
        await transitionOrganisation(this.context(), organisation.id, transition, `made ${state}`),
      );
    }
    return organisation;
  }

  /** An entity with one key of its own and checks passed under present settings, active unless told otherwise. */
  async entity(
    organisation: Organisation,
    settings: Partial<NewEntity> = {},
    state: ParticipantState = 'active',
  ): Promise<Entity> {
    const input = await newEntity(organisation, settings);
    const authority = await readAuthority(this.db, actor(), organisation.authorityId);
    const judging = { ...input, constraints: inputConstraints(input.constraints, '/constraints') };
    const evidence = { settingsDigest: settingsDigest(judging, authority), ...input.evidence };
    let entity = await addEntity(this.context(), { ...input, evidence });
    for (const transition of WAY_TO[state]) {
      entity = withoutEffects(await transitionEntity(this.context(), entity.id, transition, `made ${state}`));
    }
    return entity;
  }

  /** A Trust Mark type that the authority issues, with marks that live for an hour. */
  async trustMarkType(authority: Authority, settings: Partial<NewTrustMarkType> = {}): Promise<TrustMarkType> {
    const trustMarkType = `${freshIdentifier('marks')}/member`;
    const input = { trustMarkType, name: 'Member', lifetimeSeconds: 3600, ...settings };
    return await defineTrustMarkType(this.context(), authority.id, input);
  }

  /** A mark of the type, granted to a subject. */
  async trustMark(
    type: TrustMarkType,
    subject: string = freshIdentifier('bearer'),
    settings: Partial<NewTrustMark> = {},
  ): Promise<NamedTrustMark> {
    return await grantTrustMark(this.context(), { typeId: type.id, subject, ...settings });
  }

  /** The checks find that an entity's configuration, signed by its first registered key, now shows these keys. */
  async publishKeys({ id }: Entity, { keys }: JwkSet): Promise<Entity> {
    const { evidence, checks, ...entity } = await readEntity(this.db, actor(), id);
    const { verifiedEntityTypes, verifiedIntermediate } = entity;
    const claims = { jwks: { keys: keys as JsonObject[] } };
    const kid = entity.keys[0]?.jwk.kid ?? '';
    const seen = { ...evidence, digest: JSON.stringify(keys), kid, claims };
    const found = { checks, evidence: seen, verifiedEntityTypes, verifiedIntermediate, jwks: { keys } };
    return await recordChecks(this.context(), id, found);
  }

  /** The audit from after `seq`, in order. */
  async auditAfter(seq = 0): Promise<AuditRow[]> {
    return await this.db
      .select(RECORDED_COLUMNS)
      .from(audit)
      .where(sql`${audit.seq} > ${seq}`)
      .orderBy(asc(audit.seq), asc(audit.ordinal));
  }

  async seq(): Promise<number> {
    const [counter] = await this.db.select().from(registryCounter);
    return counter?.seq ?? Number.NaN;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database[Symbol.asyncDispose]();
  }
}

/** The record alone, as it is read. */
function withoutEffects<T extends Transitioned>({ seq: _, affected: __, ...record }: T): Omit<T, keyof Transitioned> {
  return record;
}

/** Transitions that lead from `pending` to each state. */
const WAY_TO: Record<ParticipantState, Transition[]> = {
  pending: [],
  rejected: ['reject'],
  active: ['approve'],
  suspended: ['approve', 'suspend'],
  withdrawn: ['approve', 'withdraw'],
  revoked: ['approve', 'revoke'],
};

/** What addEntity takes for an entity with one fresh key and passed checks. */
export async function newEntity(organisation: Organisation, settings: Partial<NewEntity> = {}): Promise<NewEntity> {
  return {
    organisationId: organisation.id,
    entityIdentifier: freshIdentifier('entity'),
    enrolment: 'published',
    entityTypes: ['openid_relying_party'],
    isIntermediate: false,
    jwks: await freshJwks(),
    metadata: {},
    metadataPolicy: {},
    constraints: null,
    additionalClaims: {},
    crit: [],
    statementLifetimeSeconds: null,
    checks: [{ check: 'configuration_valid', outcome: 'passed', detail: 'made by a test', at: NOW_DATE.toISOString() }],
    evidence: { digest: 'digest-of-the-test' },
    verifiedEntityTypes: ['openid_relying_party', 'federation_entity'],
    verifiedIntermediate: false,
    ...settings,
  };
}

/**
 * The refusal of the registry that `work` fails with; anything else, success too, makes the test fail.
 * @example expect((await refusedBy(work)).code).toBe('entity_exists');
 */
export async function refusedBy(work: Promise<unknown>): Promise<RegistryError> {
  const error = await work.then(
    () => new Error('expected a refusal'),
    (reason: unknown) => reason,
  );
  if (error instanceof RegistryError) return error;
  throw error;
}

/**
 * How work came out, in one line: `done`, or the code of the refusal with the fields at fault.
 * @example expect(await outcome(work)).toBe('validation_failed at /jwks/keys/0');
 */
export async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const fields = (error.details.errors ?? []).map(({ pointer }) => pointer);
    return [error.code, ...(fields.length > 0 ? ['at', fields.join(', ')] : [])].join(' ');
  }
  return 'done';
}
