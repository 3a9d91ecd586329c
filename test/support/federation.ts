/** Builds small federations with real keys and signatures, legal by default and tampered with on request. */
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import type { JwkSet } from '../../src/federation/jwk-set.ts';
import { TYP } from '../../src/federation/media-types.ts';
import type { Algorithm } from '../../src/federation/signature.ts';
import type { Clock, NumericDate } from '../../src/federation/time.ts';
import { signJwt, type Tampering, type TestKey, testKey } from './keys.ts';

/** The moment at which tests happen: 2027-01-15T08:00:00Z. */
export const NOW: NumericDate = 1_800_000_000;

/** `exp` of the statements that the builder signs, counted from `iat`, in seconds. */
export const LIFETIME_SECONDS = 3600;

/** A clock that stands still until it is told to move. */
export class ManualClock implements Clock {
  #now: NumericDate;

  constructor(now: NumericDate = NOW) {
    this.#now = now;
  }

  now(): NumericDate {
    return this.#now;
  }

  advance(seconds: number): void {
    this.#now += seconds;
  }
}

/** Claims by their wire names. */
export type Claims = Record<string, unknown>;

/** What a test says about one entity; all of it is optional. */
export interface EntitySettings {
  /** Its Entity Identifier, `https://<name>.example` by default. */
  identifier?: string;
  /** Algorithm of its generated key, ES256 by default. */
  alg?: Algorithm;
  /** Its Federation Entity Keys instead of a generated one; the first signs. */
  keys?: TestKey[];
  /**
   * Its Immediate Superiors in the order of `authority_hints`: names in this federation, or identifiers outside it.
   * As an object, each with the claims that the superior adds to its Subordinate Statement about the entity.
   */
  superiors?: string[] | Record<string, Claims>;
  /** Metadata by Entity Type. `federation_entity` is filled in: a name, and endpoints when there are subordinates. */
  metadata?: Record<string, object> | ((identifier: string) => Record<string, object>);
  /** Claims laid over its Entity Configuration; `undefined` removes a claim. */
  claims?: Claims;
}

/** An entity of a built federation. Its properties may be changed; what is signed afterwards follows them. */
export interface TestEntity {
  readonly name: string;
  readonly identifier: EntityIdentifier;
  keys: TestKey[];
  /** Claims that each Immediate Superior adds, by the superior's name. */
  superiors: Map<string, Claims>;
  metadata: Record<string, object>;
  claims: Claims;
}

export interface FederationOptions {
  /** Issues every statement; stands at NOW by default. */
  clock?: Clock;
  /** The identifier of an entity that does not name its own. */
  identifierOf?: (name: string) => string;
}

/**
 * Builds a federation from its entities by name.
 * @example
 * const federation = await buildFederation({
 *   anchor: {},
 *   intermediate: { superiors: { anchor: { constraints: { max_path_length: 0 } } } },
 *   op: { superiors: ['intermediate'], metadata: (id) => ({ openid_provider: { issuer: id } }) },
 * });
 * const chain = await federation.chain('op', 'intermediate', 'anchor');
 * await validateTrustChain(chain, federation.validation('anchor'));
 *
 * chain[1] = await federation.subordinateStatement('intermediate', 'op', { claims: { exp: NOW - 31 } });
 */
export async function buildFederation(
  settings: Record<string, EntitySettings>,
  options: FederationOptions = {},
): Promise<TestFederation> {
  const identifierOf = options.identifierOf ?? ((name: string) => `https://${name}.example`);
  const entities = await Promise.all(
    Object.entries(settings).map(async ([name, entity], index): Promise<TestEntity> => {
      const identifier = (entity.identifier ?? identifierOf(name)) as EntityIdentifier;
      const { superiors = [], metadata = {} } = entity;
      return {
        name,
        identifier,
        keys: entity.keys ?? [await testKey(entity.alg, index)],
        superiors: new Map(Array.isArray(superiors) ? superiors.map((it) => [it, {}]) : Object.entries(superiors)),
        metadata: typeof metadata === 'function' ? metadata(identifier) : metadata,
        claims: entity.claims ?? {},
      };
    }),
  );
  return new TestFederation(entities, options.clock ?? new ManualClock());
}

/** Entities that sign statements about themselves and each other. */
export class TestFederation {
  readonly clock: Clock;
  readonly #entities: Map<string, TestEntity>;

  constructor(entities: TestEntity[], clock: Clock) {
    this.clock = clock;
    this.#entities = new Map(entities.map((entity) => [entity.name, entity]));
  }

  get entities(): TestEntity[] {
    return [...this.#entities.values()];
  }

  /** @throws Error when the test misspelt a name */
  entity(name: string): TestEntity {
    const entity = this.#entities.get(name);
    if (entity === undefined) throw new Error(`the test federation has no entity ${JSON.stringify(name)}`);
    return entity;
  }

  id(name: string): EntityIdentifier {
    return this.entity(name).identifier;
  }

  /** The entities that name this one as an Immediate Superior. */
  subordinates(name: string): TestEntity[] {
    return this.entities.filter((entity) => entity.superiors.has(name));
  }

  /** The public Federation Entity Keys of an entity. */
  jwks(name: string): JwkSet {
    return { keys: this.entity(name).keys.map((key) => key.jwk) };
  }

  /** Where the entity fetches and lists, if it is a superior. */
  endpoints(name: string): { fetch: string; list: string } {
    const base = this.id(name).replace(/\/$/, '');
    return { fetch: `${base}/fetch`, list: `${base}/list` };
  }

  /** Claims of an entity's Entity Configuration. */
  configurationClaims(name: string): Claims {
    const { identifier, superiors, metadata, claims } = this.entity(name);
    const hints = [...superiors.keys()].map((superior) => this.#entities.get(superior)?.identifier ?? superior);
    const { fetch, list } = this.endpoints(name);
    const endpoints = { federation_fetch_endpoint: fetch, federation_list_endpoint: list };
    const federationEntity = {
      organization_name: name,
      ...(this.subordinates(name).length > 0 ? endpoints : {}),
      ...metadata['federation_entity'],
    };
    return {
      ...this.#regularClaims(identifier, identifier, this.jwks(name)),
      ...(hints.length > 0 ? { authority_hints: hints } : {}),
      metadata: { ...metadata, federation_entity: federationEntity },
      ...claims,
    };
  }

  /** Claims of what a superior states about a subject, its subordinate or not. */
  subordinateStatementClaims(superior: string, subject: string): Claims {
    const added = this.entity(subject).superiors.get(superior);
    return { ...this.#regularClaims(this.id(superior), this.id(subject), this.jwks(subject)), ...added };
  }

  #regularClaims(iss: EntityIdentifier, sub: EntityIdentifier, jwks: JwkSet): Claims {
    const iat = this.clock.now();
    return { iss, sub, iat, exp: iat + LIFETIME_SECONDS, jwks };
  }

  /** Signs any claims with the first key of an entity. */
  sign(name: string, typ: string, claims: object, tampering?: Tampering): Promise<string> {
    const key = this.entity(name).keys[0];
    if (key === undefined) throw new Error(`${name} has no key`);
    return signJwt(key, typ, claims, tampering);
  }

  /** The entity's Entity Configuration as a compact JWT. */
  configuration(name: string, tampering?: Tampering): Promise<string> {
    return this.sign(name, TYP.entityStatement, this.configurationClaims(name), tampering);
  }

  /** The Subordinate Statement of a superior about a subject as a compact JWT. */
  subordinateStatement(superior: string, subject: string, tampering?: Tampering): Promise<string> {
    return this.sign(superior, TYP.entityStatement, this.subordinateStatementClaims(superior, subject), tampering);
  }

  /**
   * The Trust Chain over the named entities, subject first: its configuration, the Subordinate Statements going up,
   * and the configuration of the last one. A single name gives that entity's configuration alone.
   */
  chain(...names: string[]): Promise<string[]> {
    const [subject = ''] = names;
    const statements = names.slice(1).map((superior, index) => this.subordinateStatement(superior, names[index] ?? ''));
    const anchor = names.length > 1 ? [this.configuration(names.at(-1) ?? '')] : [];
    return Promise.all([this.configuration(subject), ...statements, ...anchor]);
  }

  /** The named entities as configured Trust Anchors with their present keys. */
  trustAnchors(...names: string[]): Map<EntityIdentifier, JwkSet> {
    return new Map(names.map((name) => [this.id(name), this.jwks(name)]));
  }

  /** Options of validateTrustChain: these Trust Anchors, at the present moment, with the default leeway. */
  validation(...trustAnchors: string[]): { now: NumericDate; trustAnchors: Map<EntityIdentifier, JwkSet> } {
    return { now: this.clock.now(), trustAnchors: this.trustAnchors(...trustAnchors) };
  }
}
