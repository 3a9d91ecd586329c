/** A year of rolled keys, with relying parties that cache for as long as they may. */
import { expect } from 'vitest';
import { TYP } from '../../src/federation/media-types.ts';
import { parseSignedJwt } from '../../src/federation/signature.ts';
import { validateHistoricalKeys } from '../../src/federation/trust-chain/historical-keys.ts';
import type { Authority, AuthorityKeyRecord } from '../../src/registry/authorities/authority.ts';
import { announceAuthorityKey } from '../../src/registry/authorities/keys/announce-authority-key.ts';
import { revokeAuthorityKey } from '../../src/registry/authorities/keys/revoke-authority-key.ts';
import { STATEMENTS_ONLY } from '../../src/registry/authorities/keys/signed-by-key.ts';
import { listAuthorityKeys } from '../../src/registry/authorities/read-authority.ts';
import { updateAuthority } from '../../src/registry/authorities/update-authority.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import { updateEntity } from '../../src/registry/entities/update-entity.ts';
import { createResolver } from '../../src/resolver/resolver.ts';
import type { TokenCustody } from '../../src/signer/signer.ts';
import { claimsOf, jwtOf } from './answers.ts';
import type { DATABASE_KINDS } from './databases.ts';
import { buildFederation } from './federation.ts';
import { actor } from './registry.ts';
import { inProcessClient, outcomeText, RelyingParty } from './relying-parties.ts';
import { startTestService, type TestService } from './service.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
const STEP = 12 * HOUR;
const STEPS = 365 * 2;

const LIFETIMES = {
  configurationLifetimeSeconds: 2 * DAY,
  statementLifetimeSeconds: 4 * DAY,
  resolveLifetimeSeconds: HOUR,
};
/**
 * How long the superior's registrar takes to list a new key; the first one was forgotten until it was late. One that is
 * gone, or revoked, is dropped at once.
 */
const TAKEN_UP_AFTER = 2 * DAY;
const FIRST_TAKEN_UP_AFTER = 20 * DAY;

/** Every 60 days a key is rolled; it is announced for 10 of them, five lives of a configuration. */
const POLICY = { ...LIFETIMES, keyRollIntervalSeconds: 60 * DAY };

/**
 * A year of scheduled, manual and emergency rolls, at a Trust Anchor and an Intermediate; no chain fails for anybody.
 * @param custody of all keys of ours; sealed in the database without it
 */
export async function liveThroughAYear(kind: (typeof DATABASE_KINDS)[number], custody?: TokenCustody): Promise<void> {
  await using year = await Year.begin(await startTestService(kind, {}, custody));
  const { anchor, intermediate } = year;
  const events = new Map([
    [150, () => year.roll(anchor)],
    [200, () => year.roll(intermediate)],
    // Until then a key is new when it is announced; from then on there is one that everybody knows.
    [300, () => year.keepStandbyKeys()],
    [380, () => year.compromised(anchor)],
    [480, () => year.compromised(intermediate)],
    [600, () => year.compromised(anchor)],
  ]);
  for (let step = 0; step < STEPS; step++) {
    await events.get(step)?.();
    await year.step(step);
  }
  expect(year.failures).toEqual([]);
  expect(year.service.failures).toEqual([]);
  await year.expectHistory(anchor, { atLeast: 6, compromised: 2 });
  await year.expectHistory(intermediate, { atLeast: 5, compromised: 1 });
  await year.expectOldChainsStillProve();
}

/** The federation of the test: a Trust Anchor and an Intermediate of ours, a Relying Party of somebody else's. */
class Year implements AsyncDisposable {
  readonly service: TestService;
  readonly anchor: Authority;
  readonly intermediate: Authority;
  readonly failures: string[] = [];
  readonly #record: Entity;
  readonly #leaf: string;
  readonly #client: ReturnType<typeof inProcessClient>;
  /** Each asks in every so manieth step; all pinned the keys of the first day. */
  readonly #parties: { every: number; party: RelyingParty }[];
  /** When the superior's registrar first saw each key of the Intermediate. */
  readonly #listedFrom = new Map<string, number>();
  #registered = '';
  readonly #chains: { at: number; trustChain: readonly string[] }[] = [];

  private constructor(parts: Pick<Year, 'service' | 'anchor' | 'intermediate'> & YearParts) {
    this.service = parts.service;
    this.anchor = parts.anchor;
    this.intermediate = parts.intermediate;
    this.#record = parts.record;
    this.#leaf = parts.leaf;
    this.#client = parts.client;
    this.#parties = parts.parties;
    for (const { jwk } of parts.record.keys) this.#listedFrom.set(jwk.kid, Number.NEGATIVE_INFINITY);
  }

  static async begin(service: TestService): Promise<Year> {
    const anchor = await service.authority(POLICY);
    const organisation = await service.organisation(anchor);
    const intermediate = await service.authority({ ...POLICY, authorityHints: [anchor.entityIdentifier] });
    const record = await service.entity(organisation, {
      entityIdentifier: intermediate.entityIdentifier,
      jwks: await service.jwks(intermediate),
      verifiedEntityTypes: ['federation_entity'],
      verifiedIntermediate: true,
    });
    const federation = await buildFederation(
      { leaf: { superiors: [intermediate.entityIdentifier], metadata: { openid_relying_party: {} } } },
      { clock: service.clock },
    );
    await service.admit(await service.organisation(intermediate), federation, 'leaf');
    const client = inProcessClient(service, federation);
    const trustAnchors = await service.trustAnchors(anchor);
    const parties = [1, 2, 5, 9].map((every) => ({
      every,
      party: new RelyingParty({ client, clock: service.clock, trustAnchors }),
    }));
    return new Year({ service, anchor, intermediate, record, leaf: federation.id('leaf'), client, parties });
  }

  async step(step: number): Promise<void> {
    this.service.clock.advance(STEP);
    await this.service.keyRolls.run();
    await this.#registerAtSuperior();
    for (const { every, party } of this.#parties) {
      if (step % every === 0) await this.#ask(`every ${every}`, party, step);
    }
    // Somebody who comes today, and pins what the Trust Anchor publishes today.
    const trustAnchors = await this.service.trustAnchors(this.anchor);
    await this.#ask(
      'newcomer',
      new RelyingParty({ client: this.#client, clock: this.service.clock, trustAnchors }),
      step,
    );
  }

  async #ask(who: string, party: RelyingParty, step: number): Promise<void> {
    for (const subject of [this.#leaf, this.intermediate.entityIdentifier]) {
      const outcome = await party.resolve(subject);
      const text = outcomeText(outcome);
      if (text !== 'resolved') this.failures.push(`step ${step}, ${who}, ${subject}: ${text}`);
      if ('resolved' in outcome && who === 'newcomer' && subject === this.#leaf && step % 20 === 0) {
        this.#chains.push({ at: this.service.clock.now(), trustChain: outcome.resolved.trustChain });
      }
    }
  }

  /** The registrar of the superior takes up a new key some time later, and drops one that is not published any more. */
  async #registerAtSuperior(): Promise<void> {
    const now = this.service.clock.now();
    const { keys } = await this.service.jwks(this.intermediate);
    for (const { kid } of keys) {
      if (this.#listedFrom.has(kid)) continue;
      this.#listedFrom.set(kid, now + (this.#listedFrom.size === 1 ? FIRST_TAKEN_UP_AFTER : TAKEN_UP_AFTER));
    }
    const wanted = keys.filter(({ kid }) => (this.#listedFrom.get(kid) ?? now) <= now);
    const kids = wanted.map(({ kid }) => kid).join();
    if (kids === this.#registered || kids === '') return;
    await this.service.publishKeys(this.#record, { keys });
    await updateEntity(this.service.context(), this.#record.id, { jwks: { keys: wanted } });
    this.#registered = kids;
  }

  async roll(authority: Authority): Promise<void> {
    await announceAuthorityKey(this.service.context(), authority.id, { reason: 'by hand' }, this.service.generateKey);
  }

  async keepStandbyKeys(): Promise<void> {
    for (const { id } of [this.anchor, this.intermediate]) {
      await updateAuthority(this.service.context(), id, { isStandbyKeyKept: true });
    }
  }

  async compromised(authority: Authority): Promise<void> {
    const key = (await this.#keys(authority)).find(({ state }) => state === 'active');
    const revocation = { revocationReason: 'compromised', reason: 'a backup was stolen' };
    const tools = { generateKey: this.service.generateKey, signedByKey: STATEMENTS_ONLY };
    const context = this.service.context();
    const result = await revokeAuthorityKey(context, authority.id, key?.kid ?? '', revocation, tools);
    const keys = await this.#keys(authority);
    expect(keys.find(({ kid }) => kid === result.signingKid)).toMatchObject({ state: 'active' });
    for (const { party } of this.#parties) party.warn();
  }

  #keys({ id }: Authority): Promise<AuthorityKeyRecord[]> {
    return listAuthorityKeys(this.service.db, actor(), id);
  }

  /** Every former key is among the historical ones, none twice, none that is in use. */
  async expectHistory(authority: Authority, expected: { atLeast: number; compromised: number }): Promise<void> {
    const jwt = await jwtOf(await this.service.ask(authority, 'historicalKeys'), 'application/jwk-set+jwt');
    const jwks = await this.service.jwks(authority);
    const { keys } = await validateHistoricalKeys(jwt, { issuer: authority.entityIdentifier as never, jwks });
    const kids = keys.map(({ jwk }) => jwk.kid);
    expect(kids.length).toBeGreaterThanOrEqual(expected.atLeast);
    expect(new Set([...kids, ...jwks.keys.map(({ kid }) => kid)]).size).toBe(kids.length + jwks.keys.length);
    expect(keys.filter(({ isCompromised }) => isCompromised)).toHaveLength(expected.compromised);
    expect(jwks.keys.map(({ kid }) => kid)).toContain(parseSignedJwt(jwt, TYP.jwkSet).header.kid);
    expect(claimsOf(jwt)).toMatchObject({ iss: authority.entityIdentifier });
  }

  /** What was proven in the year is provable at its end, unless a key that signed it was compromised since. */
  async expectOldChainsStillProve(): Promise<void> {
    const { anchor, service } = this;
    const jwt = await jwtOf(await service.ask(anchor, 'historicalKeys'), 'application/jwk-set+jwt');
    const trustAnchors = await service.trustAnchors(anchor);
    const [[issuer, jwks] = []] = [...trustAnchors];
    if (issuer === undefined || jwks === undefined) throw new Error('no Trust Anchor');
    const historicalKeys = await validateHistoricalKeys(jwt, { issuer, jwks });
    const compromised = new Set(historicalKeys.keys.filter((key) => key.isCompromised).map(({ jwk }) => jwk.kid));
    const resolver = createResolver({ outbound: this.#client, clock: service.clock });
    let proven = 0;
    for (const { at, trustChain } of this.#chains) {
      const request = { subject: this.#leaf as never, trustAnchors, trustChain, at, historicalKeys };
      const byAnchor = trustChain
        .slice(-2)
        .map((statement) => parseSignedJwt(statement, TYP.entityStatement).header.kid);
      const isTainted = byAnchor.some((kid) => compromised.has(kid));
      const outcome = outcomeText(await resolver.verify(request));
      expect([at, outcome === 'resolved']).toEqual([at, !isTainted]);
      if (!isTainted) proven++;
    }
    expect(proven).toBeGreaterThan(this.#chains.length / 2);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.service[Symbol.asyncDispose]();
  }
}

interface YearParts {
  record: Entity;
  leaf: string;
  client: ReturnType<typeof inProcessClient>;
  parties: { every: number; party: RelyingParty }[];
}
