import { inArray } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { addCredential } from '../../../src/registry/credentials/add-credential.ts';
import { REVOCATION_REASONS } from '../../../src/registry/credentials/credential.ts';
import { credentialStanding } from '../../../src/registry/credentials/credential-standing.ts';
import { credentialsBelow } from '../../../src/registry/credentials/credentials-below.ts';
import { HOLD_TRANSITIONS, holdCredential } from '../../../src/registry/credentials/hold-credential.ts';
import { listCredentials } from '../../../src/registry/credentials/read-credential.ts';
import { replaceCredential } from '../../../src/registry/credentials/replace-credential.ts';
import { revokeCredential } from '../../../src/registry/credentials/revoke-credential.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { LIVE_STATES, TRANSITION_NAMES } from '../../../src/registry/states.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { organisations, type ParticipantState } from '../../../src/storage/schema/organisations.ts';
import { certificate, ecKey, pem } from '../../support/certificates.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { NOW } from '../../support/federation.ts';
import { actor, freshIdentifier, NOW_DATE, openRegistry, outcome, type TestRegistry } from '../../support/registry.ts';

const PARTICIPANT_STATES: readonly ParticipantState[] = [
  ...['pending', 'active', 'rejected', 'suspended', 'withdrawn', 'revoked'],
] as ParticipantState[];
const DECIDED = ['active', 'on_hold', 'revoked'] as const;
const KEYS = [ecKey(), ecKey(), ecKey()];
const days = (count: number): Date => new Date(NOW_DATE.getTime() + count * 86_400_000);

describe('a credential counts', () => {
  const moment = fc.option(fc.integer({ min: -3, max: 3 }).map(days), { nil: null });
  const judged = fc.record({
    state: fc.constantFrom(...DECIDED),
    notBefore: moment,
    notAfter: moment,
    supersededAt: moment,
    ownerState: fc.constantFrom(...PARTICIPANT_STATES),
    organisationState: fc.constantFrom(...PARTICIPANT_STATES),
    mode: fc.constantFrom('live' as const, 'test' as const),
    environment: fc.constantFrom('production', 'sandbox'),
    isPurposeListed: fc.boolean(),
    isAnchorListed: fc.boolean(),
    path: fc.constantFrom(null, ...[-1, 0, 1].map((seconds) => ({ anchor: 'x', notAfter: NOW + seconds }))),
  });

  it('while itself, its entity and its organisation are active, it is valid and believed, and shown where it belongs', () => {
    const place = fc.record({
      mode: fc.constantFrom('live' as const, 'test' as const),
      environment: fc.constantFrom('production', 'sandbox'),
    });
    fc.assert(
      fc.property(judged, fc.option(place, { nil: undefined }), (one, shownAt) => {
        const isActive = one.state === 'active' && one.ownerState === 'active' && one.organisationState === 'active';
        const isValid = (one.notBefore ?? NOW_DATE) <= NOW_DATE && (one.notAfter ?? NOW_DATE) >= NOW_DATE;
        const isReplaced = one.supersededAt !== null && one.supersededAt <= NOW_DATE;
        const isThere = shownAt === undefined || (shownAt.mode === one.mode && shownAt.environment === one.environment);
        const hasPath = one.isAnchorListed && one.path !== null && one.path.notAfter >= NOW;
        const isTrusted = hasPath || !one.isPurposeListed;
        const { isLive, refusal } = credentialStanding(one, NOW_DATE, shownAt);
        expect(isLive).toBe(isActive && isValid && !isReplaced && isTrusted && isThere);
        expect(refusal === null).toBe(isLive);
      }),
      { numRuns: 2000 },
    );
  });
});

/** What may happen next: a verb, on whom, and with what; refusals are part of life. */
const step = fc.record({
  verb: fc.constantFrom('add', 'add', 'replace', 'hold', 'revoke', 'entity', 'entity', 'organisation', 'move', 'wait'),
  who: fc.nat(5),
  which: fc.nat(7),
  key: fc.nat(KEYS.length - 1),
  choice: fc.nat(41),
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Two organisations and an entity of each in three places: one identifier is in production here and a sandbox there. */
interface World {
  organisations: Organisation[];
  entities: Entity[];
  now: Date;
  serial: number;
}

describe.each(DATABASE_KINDS)('whatever is done with credentials and those above them, on %s', (kind) => {
  let registry: TestRegistry;
  let places: [Authority, Authority];
  /** Otherwise nothing was shown. */
  let [everLive, everStopped] = [0, 0];
  beforeAll(async () => {
    registry = await openRegistry(kind);
    places = [await registry.authority(), await registry.authority()];
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  it('lists go by their records, no transport key is two entities, no identifier is in two environments', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 30 }), async (steps) => {
        const world = await newWorld();
        for (const next of steps) {
          await outcome(take(next, world));
          await requireSound(world);
        }
      }),
      { numRuns: 8 },
    );
    expect(everLive).toBeGreaterThan(0);
    expect(everStopped).toBeGreaterThan(0);
  }, 300_000);

  async function newWorld(): Promise<World> {
    const [here, there] = places;
    const owners = [await registry.organisation(here), await registry.organisation(there)];
    const [one, two] = owners as [Organisation, Organisation];
    const entityIdentifier = freshIdentifier('both');
    const sandbox = { mode: 'test', environment: 'sandbox' } as const;
    return {
      organisations: owners,
      entities: [
        await registry.entity(one, { entityIdentifier }),
        await registry.entity(two, { entityIdentifier, ...sandbox }),
        await registry.entity(one),
        await registry.entity(two, {}, 'pending'),
      ],
      now: NOW_DATE,
      serial: 1,
    };
  }

  async function take({ verb, who, which, key, choice }: Step, world: World): Promise<unknown> {
    const { now } = world;
    const context = registry.context(actor(), { now });
    const of = <T>(all: readonly T[]): T => all[who % all.length]!;
    const entity = of(world.entities);
    const transition = TRANSITION_NAMES[choice % TRANSITION_NAMES.length]!;
    const validity = { notAfter: choice % 3 === 0 ? '270120000000Z' : '350101000000Z' };
    const material = { certificate: pem(certificate({ key: KEYS[key]!, serial: [++world.serial], ...validity })) };
    const mine = async () => {
      const all = await registry.db
        .select()
        .from(credentials)
        .where(inArray(credentials.entityId, idsOf(world.entities)));
      return all[which % all.length]?.id ?? entity.id;
    };
    switch (verb) {
      case 'add':
        return addCredential(context, entity.id, { usage: choice % 4 === 0 ? 'signing' : 'transport', material });
      case 'replace':
        return replaceCredential(context, await mine(), {
          material,
          until: choice % 2 === 0 ? null : new Date(now.getTime() + 86_400_000),
        });
      case 'hold':
        return holdCredential(context, await mine(), HOLD_TRANSITIONS[choice % 2]!, 'x');
      case 'revoke': {
        const reasonCode = REVOCATION_REASONS.filter((code) => code !== 'key_compromise')[choice % 6]!;
        return revokeCredential(context, await mine(), { reasonCode, reason: 'x' });
      }
      case 'entity':
        return transitionEntity(context, entity.id, transition, 'x');
      case 'organisation':
        return transitionOrganisation(context, of(world.organisations).id, transition, 'x');
      case 'move':
        return updateEntity(
          context,
          entity.id,
          choice % 2 === 0 ? { mode: 'test', environment: 'sandbox' } : { mode: 'live', environment: 'production' },
        );
      default:
        world.now = new Date(now.getTime() + (choice % 3) * 86_400_000);
        return undefined;
    }
  }

  /** Looks at the rows themselves, and holds every reader against them. */
  async function requireSound({ entities: ours, organisations: owners, now }: World): Promise<void> {
    const owned = await registry.db
      .select()
      .from(entities)
      .where(inArray(entities.id, idsOf(ours)));
    const above = await registry.db
      .select()
      .from(organisations)
      .where(inArray(organisations.id, idsOf(owners)));
    const all = await registry.db
      .select()
      .from(credentials)
      .where(inArray(credentials.entityId, idsOf(ours)));
    const live = new Set<string>();
    const holders = new Map<string, string>();
    const environments = new Map<string, string>();
    for (const one of all) {
      const entity = owned.find(({ id }) => id === one.entityId)!;
      const organisation = above.find(({ id }) => id === entity.organisationId)!;
      const isOver = one.state === 'revoked' || (one.supersededAt ?? days(9999)) <= now || (one.notAfter ?? now) < now;
      const isActive = one.state === 'active' && entity.state === 'active' && organisation.state === 'active';
      if (!isOver && isActive && (one.notBefore ?? now) <= now) live.add(one.id);
      if (!isOver && one.state === 'active' && !isActive) everStopped++;
      if (isOver || !LIVE_STATES.includes(entity.state) || !LIVE_STATES.includes(organisation.state)) continue;
      const place = `${entity.mode} ${one.environment}`;
      expect(environments.get(entity.entityIdentifier) ?? place).toBe(place);
      environments.set(entity.entityIdentifier, place);
      expect(one.environment).toBe(entity.environment);
      if (one.usage !== 'transport') continue;
      expect(holders.get(one.spkiSha256) ?? entity.id).toBe(entity.id);
      holders.set(one.spkiSha256, entity.id);
    }
    everLive += live.size;
    expect(await readersFind(ours, owners, now)).toEqual([live, live]);
  }

  /** The lists, and what is told to whoever computes effects. */
  async function readersFind(ours: Entity[], owners: Organisation[], now: Date): Promise<[Set<string>, Set<string>]> {
    const listed = new Set<string>();
    for (const { id } of ours) {
      const filter = { entityId: id, isLive: true };
      const { items } = await listCredentials(registry.db, actor(), filter, { limit: 500 }, now);
      for (const one of items) {
        listed.add(one.id);
        expect(credentialStanding(one, now).isLive).toBe(true);
      }
    }
    const below = new Set<string>();
    for (const { id } of owners) {
      for (const one of await credentialsBelow(registry.db, { organisationId: id }, now)) {
        if (one.state === 'active') below.add(one.id);
      }
    }
    return [listed, below];
  }
});

function idsOf(records: readonly { id: string }[]): string[] {
  return records.map(({ id }) => id);
}
