import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEnrolmentChallenge } from '../../src/enrolment/enrolment-challenge.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { saveBranch } from '../../src/registry/collection/save-branch.ts';
import { addOrganisation } from '../../src/registry/organisations/add-organisation.ts';
import { pruneExpired } from '../../src/registry/prune-expired.ts';
import { ENTITY_TOKEN_LIFETIME_SECONDS, makeEntityToken } from '../../src/registry/tokens/entity-token.ts';
import { collectedEntities } from '../../src/storage/schema/collected-entities.ts';
import { enrolmentChallenges } from '../../src/storage/schema/enrolment-challenges.ts';
import { entityTokens } from '../../src/storage/schema/entity-tokens.ts';
import { idempotencyKeys } from '../../src/storage/schema/idempotency-keys.ts';
import { usedAssertions } from '../../src/storage/schema/used-assertions.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { actor, freshIdentifier, NOW_DATE, openRegistry, type TestRegistry } from '../support/registry.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

const at = (seconds: number) => new Date(NOW_DATE.getTime() + seconds * 1000);

describe.each(DATABASE_KINDS)('pruning on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeEach(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterEach(() => registry[Symbol.asyncDispose]());

  /** Makes a challenge and an organisation with an idempotency key, each at that moment. */
  async function leave(now: Date): Promise<void> {
    const context = registry.context(actor(), { now });
    await createEnrolmentChallenge(context, authority.id, freshIdentifier('challenged'));
    const idempotency = { key: now.toISOString(), requestHash: 'hash' };
    await addOrganisation(context, authority.id, { legalName: 'Partner' }, idempotency);
  }

  /** When the challenges that are left were made, in order. */
  async function challenges(): Promise<Date[]> {
    const rows = await registry.db.select().from(enrolmentChallenges);
    return rows.map(({ createdAt }) => createdAt).sort((a, b) => a.getTime() - b.getTime());
  }

  async function keys(): Promise<string[]> {
    return (await registry.db.select().from(idempotencyKeys)).map(({ key }) => key).sort();
  }

  /** Challenges that nobody answered, long ago. */
  async function leaveChallenges(count: number): Promise<void> {
    await registry.db.execute(sql`
      insert into enrolment_challenges (challenge, authority_id, entity_identifier, created_at, expires_at)
      select 'old ' || n, ${authority.id}, 'https://x.example', ${at(-9 * DAY)}, ${at(-8 * DAY)}
      from generate_series(1, ${count}::int) as n`);
  }

  it('deletes challenges that have expired, with an hour for clocks that differ, and no other', async () => {
    const made = [at(-3 * DAY), at(-DAY - HOUR - 1), at(-DAY - HOUR), at(-DAY), at(0)];
    for (const moment of made) await leave(moment);
    await pruneExpired(registry.db, NOW_DATE);
    expect(await challenges()).toEqual(made.slice(2));
  });

  it('deletes idempotency keys after seven days, and leaves what they made', async () => {
    const made = [at(-30 * DAY), at(-7 * DAY - 1), at(-7 * DAY), at(0)];
    for (const moment of made) await leave(moment);
    const seq = await registry.seq();
    await pruneExpired(registry.db, NOW_DATE);
    expect(await keys()).toEqual(made.slice(2).map((moment) => moment.toISOString()));
    expect(await registry.seq()).toBe(seq);
    const { rows } = await registry.db.execute<{ count: string }>(sql`select count(*) as count from organisations`);
    expect(Number(rows[0]?.count)).toBe(made.length);
  });

  it('deletes used assertions that no node accepts any more, with an hour for clocks that differ', async () => {
    const ends = [at(-DAY), at(-HOUR - 1), at(-HOUR), at(0), at(660)];
    const row = (expiresAt: Date, index: number) => ({ client: 'client', jti: `jti ${index}`, expiresAt });
    await registry.db.insert(usedAssertions).values(ends.map(row));
    await pruneExpired(registry.db, NOW_DATE);
    const left = await registry.db.select().from(usedAssertions).orderBy(usedAssertions.expiresAt);
    expect(left.map(({ expiresAt }) => expiresAt)).toEqual(ends.slice(2));
  });

  it('deletes tokens of entities that have expired, with an hour for clocks that differ, and no other', async () => {
    const entity = await registry.entity(await registry.organisation(authority));
    const ends = [at(-DAY), at(-HOUR - 1), at(-HOUR), at(0), at(ENTITY_TOKEN_LIFETIME_SECONDS)];
    for (const end of ends) {
      const made = new Date(end.getTime() - ENTITY_TOKEN_LIFETIME_SECONDS * 1000);
      await makeEntityToken(registry.db, entity.id, { kid: entity.keys[0]?.jwk.kid ?? '' }, made);
    }
    await pruneExpired(registry.db, NOW_DATE);
    const left = await registry.db.select().from(entityTokens).orderBy(entityTokens.expiresAt);
    expect(left.map(({ expiresAt }) => expiresAt)).toEqual(ends.slice(2));
  });

  it('forgets a day later who was seen below an Intermediate elsewhere', async () => {
    const branch = await registry.entity(await registry.organisation(authority), { verifiedIntermediate: true });
    const ends = [at(-2 * DAY), at(-DAY - 1), at(-DAY), at(DAY)];
    const found = ends.map((validUntil, index) => ({
      entityIdentifier: `https://e${index}.example`,
      ...{ entityTypes: [], metadata: {}, trustMarks: null, validUntil },
    }));
    const walked = { authorityId: authority.id, branchId: branch.id, found, gone: [] };
    await saveBranch(registry.db, walked, NOW_DATE);
    await pruneExpired(registry.db, NOW_DATE);
    const left = await registry.db.select().from(collectedEntities).orderBy(collectedEntities.validUntil);
    expect(left.map(({ validUntil }) => validUntil)).toEqual(ends.slice(2));
  });

  it('deletes more than fits into one batch, and stops where it is told to', async () => {
    await leaveChallenges(2500);
    const stopped = AbortSignal.abort();
    await pruneExpired(registry.db, NOW_DATE, stopped);
    expect(await challenges()).toHaveLength(2500);
    await pruneExpired(registry.db, NOW_DATE);
    expect(await challenges()).toEqual([]);
  });

  it('is done by several at once without harm', async () => {
    await leaveChallenges(3000);
    await leave(at(0));
    await Promise.all([1, 2, 3].map(() => pruneExpired(registry.db, NOW_DATE)));
    await pruneExpired(registry.db, NOW_DATE);
    expect(await challenges()).toEqual([at(0)]);
  });
});
