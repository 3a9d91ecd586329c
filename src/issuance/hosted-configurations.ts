/** Entity Configurations of hosted entities by where they are asked for, ready as bytes. @see OIDFED §9 */
import type { JsonObject } from '../federation/json.ts';
import { lintHostedConfiguration } from '../federation/lint/lint-hosted-configuration.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import type { Clock } from '../federation/time.ts';
import type { AffectedSubject } from '../registry/affected-subjects.ts';
import { authorityLocation } from '../registry/authorities/authority-location.ts';
import type { HostedPreview } from '../registry/hosting/hosted-entity.ts';
import { type HostedRecord, readHostedAt } from '../registry/hosting/read-hosted-configuration.ts';
import type { Db } from '../storage/connect.ts';
import { FollowingCache } from './following-cache.ts';
import { buildHostedConfiguration, hostedDraft, uploadedConfiguration } from './hosted-configuration.ts';
import type { IssuedStatement } from './issued-statement.ts';
import { type SignedAnswer, signedAnswer } from './ready-answers.ts';
import { inCustody, type StatementIssuer, type StatementIssuerOptions, signStatement } from './statement-issuer.ts';

export interface HostedConfigurationsOptions extends Pick<StatementIssuerOptions, 'signer' | 'houseRules'> {
  db: Db;
  issuer: StatementIssuer;
  clock: Clock;
}

/** What is at a place where an entity is hosted. */
export interface HostedPlace {
  entityId: string;
  /** Its configuration; undefined while it is not active, or has none that counts. */
  answer: SignedAnswer | undefined;
}

const CACHE_BYTES = 32 * 1024 * 1024;
const PLACE_BYTES = 300;
/** All places are in one scope. */
const SCOPE = '';

export class HostedConfigurations {
  readonly #options: HostedConfigurationsOptions;
  readonly #places = new FollowingCache<HostedPlace>({
    maxBytes: CACHE_BYTES,
    sizeOf: ({ answer }) => PLACE_BYTES + (answer?.body.length ?? 0),
    isRepeated: true,
  });

  constructor(options: HostedConfigurationsOptions) {
    this.#options = options;
  }

  /** @throws TooManyLoads, StatementUnfit */
  at(location: string): HostedPlace | Promise<HostedPlace | undefined> | undefined {
    const ready = this.#places.get(SCOPE, location);
    const refreshAt = ready?.answer?.refreshAt ?? Number.POSITIVE_INFINITY;
    if (ready !== undefined && refreshAt > this.#options.clock.now()) return ready;
    if (this.#places.isAbsent(SCOPE, location)) return undefined;
    return this.#places.load(SCOPE, location, async () => {
      const record = await readHostedAt(this.#options.db, location);
      if (record === undefined) return undefined;
      const issued = record.isActive ? await this.#issued(record) : undefined;
      return {
        entityId: record.entity.id,
        answer: issued && signedAnswer(issued, MEDIA_TYPE.entityStatement),
      };
    });
  }

  /** The record of an entity that is hosted under exactly this identifier. */
  async find(entityIdentifier: string): Promise<HostedRecord | undefined> {
    const record = await readHostedAt(this.#options.db, authorityLocation(entityIdentifier));
    return record?.entity.entityIdentifier === entityIdentifier ? record : undefined;
  }

  /** A configuration as it would be published if the entity were active; for its checks, never for the public. */
  async asIfActive(record: HostedRecord): Promise<string | undefined> {
    if (record.isActive || record.hosted.mode === 'uploaded') return (await this.#issued(record))?.jwt;
    const order = hostedDraft(record);
    if (order === undefined) return undefined;
    const { signer, houseRules, clock } = this.#options;
    return (await signStatement(order.draft, order.key, clock.now(), { signer, houseRules, random: () => 0 })).jwt;
  }

  /** The first configuration of an entity that is to be hosted. */
  async preview({
    entityIdentifier,
    superior,
    metadata,
    configurationLifetimeSeconds,
    key,
  }: HostedPreview): Promise<string> {
    const claims = buildHostedConfiguration({
      ...{ entity: { entityIdentifier, state: 'pending' }, hosted: { metadata }, superior, registered: [] },
      keys: [{ kid: key.kid, state: 'active', publicJwk: key.publicJwk as JsonObject }],
    });
    const held = { custody: 'sealed', tokenObject: null, ...key, purpose: 'hosted-entity' } as const;
    const { signer, houseRules, clock } = this.#options;
    const draft = {
      claims,
      lifetimeSeconds: configurationLifetimeSeconds,
      notAfter: Number.POSITIVE_INFINITY,
      lint: lintHostedConfiguration,
    };
    const order = [draft, inCustody(held, entityIdentifier), clock.now()] as const;
    return (await signStatement(...order, { signer, houseRules, random: () => 0 })).jwt;
  }

  async #issued(record: HostedRecord): Promise<IssuedStatement | undefined> {
    if (record.hosted.mode === 'uploaded') return uploadedConfiguration(record, this.#options.clock.now());
    const order = hostedDraft(record);
    return order && (await this.#options.issuer.hostedConfiguration(order, order.draft));
  }

  /** Drops what the changes made untrue, before their seq is served. */
  follow(affected: readonly AffectedSubject[]): void {
    for (const { entityIdentifier } of affected) this.#places.delete(SCOPE, authorityLocation(entityIdentifier));
  }
}
