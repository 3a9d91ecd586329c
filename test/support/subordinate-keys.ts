/** An entity that has keys registered, publishes configurations and pushes sets, as the tests of its keys need it. */
import type { RetrieveConfiguration } from '../../src/enrolment/configuration-checks.ts';
import { recheckEntity } from '../../src/enrolment/recheck-entity.ts';
import { type RefreshedEntity, refreshEntity } from '../../src/enrolment/refresh-entity.ts';
import { subordinateActor } from '../../src/enrolment/subordinate-actor.ts';
import { FederationError } from '../../src/federation/errors.ts';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import { keyThumbprint } from '../../src/federation/key-thumbprint.ts';
import { type PushedKeySet, parsePushedKeySet } from '../../src/federation/pushed-key-set.ts';
import type { EntityStatement } from '../../src/federation/statement/entity-statement.ts';
import { validateEntityConfiguration } from '../../src/federation/statement/validate-statement.ts';
import type { Actor } from '../../src/registry/actor.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import { decideProposedKey } from '../../src/registry/entities/keys/decide-proposed-key.ts';
import { type PushedKeys, pushKeys } from '../../src/registry/entities/keys/push-keys.ts';
import { readEntityKeys } from '../../src/registry/entities/keys/read-entity-keys.ts';
import { readEntity } from '../../src/registry/entities/read-entity.ts';
import { type PublishedEntity, publishedEntity } from './enrolment.ts';
import { NOW } from './federation.ts';
import { signJwt, type Tampering, type TestKey, testKey } from './keys.ts';
import { actor, type TestRegistry } from './registry.ts';

let keysMade = 5000;

export function freshKey(): Promise<TestKey> {
  return testKey('ES256', keysMade++);
}

/** How a push came out: `done`, or the reason of the refusal. */
export async function pushOutcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error instanceof FederationError) return error.reason;
    throw error;
  }
}

/** The claims of a set that an entity pushes to an authority. */
export function keySetClaims(
  subject: string,
  authority: Pick<Authority, 'entityIdentifier'>,
  keys: TestKey[],
  iat = NOW,
) {
  return { iss: subject, sub: subject, aud: authority.entityIdentifier, iat, keys: keys.map(({ jwk }) => jwk) };
}

interface PushOptions {
  /** The key that signs. */
  by?: TestKey;
  iat?: number;
  /** See pushKeys. */
  admit?: () => void;
}

export class TestSubordinate {
  readonly registry: TestRegistry;
  readonly authority: Authority;
  readonly published: PublishedEntity;
  readonly id: string;
  /** The key that it was enrolled with. */
  readonly key: TestKey;

  private constructor(
    registry: TestRegistry,
    authority: Authority,
    published: PublishedEntity,
    { id, key }: { id: string; key: TestKey },
  ) {
    this.registry = registry;
    this.authority = authority;
    this.published = published;
    this.id = id;
    this.key = key;
  }

  /** Enrolled and, unless told otherwise, active. */
  static async enrol(
    registry: TestRegistry,
    authority: Authority,
    state: 'pending' | 'active' = 'active',
  ): Promise<TestSubordinate> {
    const published = await publishedEntity(authority);
    const organisation = await registry.organisation(authority);
    const [key] = published.keys;
    if (key === undefined) throw new Error('no key');
    // Of each entity of ours the configuration declares this one as well.
    const verifiedEntityTypes = [...Object.keys(published.metadata), 'federation_entity'];
    const settings = { entityIdentifier: published.identifier, jwks: { keys: [key.jwk] }, verifiedEntityTypes };
    const { id } = await registry.entity(organisation, settings, state);
    return new TestSubordinate(registry, authority, published, { id, key });
  }

  get entityIdentifier(): EntityIdentifier {
    return this.published.identifier;
  }

  async record(): Promise<Entity> {
    return await readEntity(this.registry.db, actor(), this.id);
  }

  async kids(): Promise<string[]> {
    return (await this.record()).keys.map(({ jwk }) => jwk.kid);
  }

  async findings(): Promise<string[]> {
    return (await this.record()).findings.map(({ kind }) => kind);
  }

  /** kids of proposals with their states. */
  async proposals(): Promise<Record<string, string>> {
    const { proposals } = await readEntityKeys(this.registry.db, actor(), this.id);
    return Object.fromEntries(proposals.map(({ kid, state }) => [kid, state]));
  }

  /** The configuration that it would publish with these keys, signed by the first of them. */
  async configuration(keys: TestKey[]): Promise<EntityStatement> {
    this.published.keys = keys;
    const jwt = await this.published.retrieve(this.entityIdentifier);
    return await validateEntityConfiguration(jwt, this.entityIdentifier, { now: NOW });
  }

  /** A registrar accepts the key that its configuration proposes under this kid. */
  async accept({ kid, jwk }: TestKey, context = this.registry.context()): Promise<Entity> {
    const decision = { decision: 'accept', kid, thumbprint: await keyThumbprint(jwk), reason: 'by a test' } as const;
    return await decideProposedKey(context, this.id, decision);
  }

  /** Has its configuration propose a key. */
  async proposeKey(): Promise<TestKey> {
    const key = await freshKey();
    await this.refresh([this.key, key]);
    return key;
  }

  /** Publishes a configuration with these keys, signed by the first of them, and has it fetched. */
  async refresh(keys: TestKey[], tampering: Tampering = {}): Promise<RefreshedEntity> {
    return await refreshEntity(this.registry.context(), this.id, this.publish(keys, tampering));
  }

  /** The same, and a registrar runs the checks, or somebody else. */
  async recheck(keys: TestKey[], tampering: Tampering = {}, by?: Actor): Promise<Entity> {
    return await recheckEntity(this.registry.context(by), this.id, this.publish(keys, tampering));
  }

  /** Retrieves what it publishes from now on. */
  publish(keys: TestKey[], tampering: Tampering = {}): RetrieveConfiguration {
    this.published.keys = keys;
    Object.assign(this.published.claims, { iat: NOW, ...tampering.claims });
    return this.published.retrieve;
  }

  async push(keys: TestKey[], options: PushOptions = {}): Promise<PushedKeys> {
    const pushed = await this.pushedSet(keys, options);
    const context = this.registry.context(subordinateActor(this.authority.id, pushed.subject));
    return await pushKeys(context, this.authority.id, pushed, options.admit);
  }

  async pushedSet(keys: TestKey[], { by = this.key, iat = NOW }: PushOptions = {}): Promise<PushedKeySet> {
    const claims = keySetClaims(this.entityIdentifier, this.authority, keys, iat);
    const jwt = await signJwt(by, 'jwk-set+jwt', claims);
    return parsePushedKeySet(jwt, { audience: this.authority.entityIdentifier, now: NOW });
  }
}
