import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  Authority,
  AuthorityKeyRecord,
  GenerateAuthorityKey,
} from '../../../../src/registry/authorities/authority.ts';
import {
  type Activation,
  activateAuthorityKey,
} from '../../../../src/registry/authorities/keys/activate-authority-key.ts';
import {
  type Announcement,
  announceAuthorityKey,
} from '../../../../src/registry/authorities/keys/announce-authority-key.ts';
import { archiveAuthorityKey } from '../../../../src/registry/authorities/keys/archive-authority-key.ts';
import { type Revocation, revokeAuthorityKey } from '../../../../src/registry/authorities/keys/revoke-authority-key.ts';
import { STATEMENTS_ONLY } from '../../../../src/registry/authorities/keys/signed-by-key.ts';
import { type Look, recordLook } from '../../../../src/registry/authorities/keys/superior-sightings.ts';
import { listAuthorityKeys } from '../../../../src/registry/authorities/read-authority.ts';
import { updateAuthority } from '../../../../src/registry/authorities/update-authority.ts';
import { updateEntity } from '../../../../src/registry/entities/update-entity.ts';
import { pinTrustAnchor } from '../../../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { authorityKeys } from '../../../../src/storage/schema/authority-keys.ts';
import { issuedStatements } from '../../../../src/storage/schema/issued-statements.ts';
import { DATABASE_KINDS } from '../../../support/databases.ts';
import { NOW } from '../../../support/federation.ts';
import {
  actor,
  generateTestKey,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../../../support/registry.ts';

const DAY = 86_400;
const SUPERIOR = 'https://superior.example';
const SUPERSEDED: Revocation = { revocationReason: 'superseded', reason: 'a test' };

/** Seconds after the moment at which everything is made. */
function at(seconds: number): Date {
  return new Date((NOW + seconds) * 1000);
}

describe.each(DATABASE_KINDS)('keys of an authority on %s', (kind) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await openRegistry(kind);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const contextAt = (seconds: number) => registry.context(actor(), { now: at(seconds) });
  const announce = ({ id }: Authority, seconds = 0, announcement: Announcement = {}, generate = generateTestKey) =>
    announceAuthorityKey(contextAt(seconds), id, announcement, generate);
  const activate = ({ id }: Authority, { kid }: { kid: string }, seconds: number, activation?: Activation) =>
    activateAuthorityKey(contextAt(seconds), id, kid, activation);
  const archive = ({ id }: Authority, { kid }: { kid: string }, seconds: number, signedByKey = STATEMENTS_ONLY) =>
    archiveAuthorityKey(contextAt(seconds), id, kid, signedByKey);
  const revoke = (
    { id }: Authority,
    { kid }: { kid: string },
    seconds = 0,
    revocation = SUPERSEDED,
    generateKey: GenerateAuthorityKey = generateTestKey,
  ) => revokeAuthorityKey(contextAt(seconds), id, kid, revocation, { generateKey, signedByKey: STATEMENTS_ONLY });
  const keysOf = ({ id }: Authority) => listAuthorityKeys(registry.db, actor(), id);
  const states = async (authority: Authority) => (await keysOf(authority)).map(({ state }) => state);

  async function keyOf(authority: Authority, state: AuthorityKeyRecord['state']): Promise<AuthorityKeyRecord> {
    const key = (await keysOf(authority)).find((one) => one.state === state);
    if (key === undefined) throw new Error(`no ${state} key`);
    return key;
  }

  async function rowOf({ kid }: { kid: string }): Promise<typeof authorityKeys.$inferSelect | undefined> {
    const [row] = await registry.db.select().from(authorityKeys).where(eq(authorityKeys.kid, kid));
    return row;
  }

  /** Makes keys, and changes the authority meanwhile as somebody else may. */
  function renaming({ id }: Authority): GenerateAuthorityKey {
    return async (authorityId) => {
      await updateAuthority(registry.context(), id, { name: 'Renamed meanwhile' });
      return await generateTestKey(authorityId);
    };
  }

  describe('announcing', () => {
    it('[OIDFED-11.2-1] publishes a key that does not sign yet, for five lives of the configuration, a day at least', async () => {
      const daily = await registry.authority();
      expect(await announce(daily)).toMatchObject({
        state: 'announced',
        activateAfter: at(5 * DAY),
        activatedAt: null,
      });
      expect(await states(daily)).toEqual(['active', 'announced']);
      const hasty = await registry.authority({ configurationLifetimeSeconds: 600 });
      expect(await announce(hasty)).toMatchObject({ activateAfter: at(DAY) });
      const told = await registry.authority({ configurationLifetimeSeconds: 600, keyAnnounceSeconds: 7200 });
      expect(await announce(told)).toMatchObject({ activateAfter: at(7200) });
    });

    it('[OIDFED-11.2-1] outlasts every configuration without the key, where it is announced for one life only too', async () => {
      const authority = await registry.authority({ keyAnnounceSeconds: DAY });
      expect(await announce(authority)).toMatchObject({ activateAfter: at(DAY + 60) });
    });

    it('holds nothing up while the key is made', async () => {
      const authority = await registry.authority();
      expect((await announce(authority, 0, {}, renaming(authority))).state).toBe('announced');
      expect(await states(authority)).toEqual(['active', 'announced']);
    });

    it('makes no key for an authority that there is not, nor where one is announced already', async () => {
      const made: string[] = [];
      const noting: GenerateAuthorityKey = (id) => {
        made.push(id);
        return generateTestKey(id);
      };
      const authority = await registry.authority();
      await announce(authority);
      expect(await outcome(announce(authority, 0, {}, noting))).toBe('key_roll_pending');
      const unknown = { ...authority, id: '00000000-0000-7000-8000-000000000000' };
      expect(await outcome(announce(unknown, 0, {}, noting))).toBe('not_found');
      expect(made).toEqual([]);
    });

    it('one key at a time', async () => {
      const authority = await registry.authority();
      const { kid } = await announce(authority);
      const error = await refusedBy(announce(authority));
      expect([error.code, error.kind, error.details['kid']]).toEqual(['key_roll_pending', 'conflict', kid]);
      expect(await outcome(announce(authority, 0, { isStandby: true }))).toBe('key_roll_pending');
    });

    it('keeps a key ready without a time, and takes that one when its turn comes', async () => {
      const authority = await registry.authority();
      const standby = await announce(authority, 0, { isStandby: true });
      expect(standby).toMatchObject({ state: 'announced', activateAfter: null });
      expect(await outcome(announce(authority, 0, { isStandby: true }))).toBe('key_roll_pending');
      expect(await announce(authority, DAY)).toMatchObject({ kid: standby.kid, activateAfter: at(5 * DAY) });
      const waiting = await registry.authority();
      await announce(waiting, 0, { isStandby: true });
      expect(await announce(waiting, 30 * DAY)).toMatchObject({ activateAfter: at(30 * DAY) });
    });

    it('[OIDFED-8.7-6] refuses a kid that was ever in use, at this authority or another', async () => {
      const [authority, other] = [await registry.authority(), await registry.authority()];
      const made = await generateTestKey(authority.id);
      const again: GenerateAuthorityKey = async () => made;
      const { kid } = await announce(authority, 0, {}, again);
      await revoke(authority, { kid });
      const seq = await registry.seq();
      expect(await outcome(announce(authority, 0, {}, again))).toBe('kid_reused');
      expect(await outcome(announce(other, 0, {}, again))).toBe('kid_reused');
      expect([await registry.seq(), await states(other)]).toEqual([seq, ['active']]);
    });

    it('happens once when two ask at the same time', async () => {
      const authority = await registry.authority();
      const outcomes = await Promise.all([outcome(announce(authority)), outcome(announce(authority))]);
      expect(outcomes.toSorted()).toEqual(['done', 'key_roll_pending']);
      expect(await states(authority)).toEqual(['active', 'announced']);
    });
  });

  describe('activating', () => {
    it('[OIDFED-11.2-1] waits until the key was announced for long enough, then retires the one before', async () => {
      const authority = await registry.authority();
      const former = await keyOf(authority, 'active');
      const next = await announce(authority);
      const error = await refusedBy(activate(authority, next, 5 * DAY - 1));
      expect(error.code).toBe('key_not_ready');
      expect(error.details['waits']).toEqual([
        { until: at(5 * DAY), detail: expect.stringContaining('announced until') },
      ]);
      expect(await activate(authority, next, 5 * DAY)).toMatchObject({ state: 'active', activatedAt: at(5 * DAY) });
      expect(await keyOf(authority, 'retired')).toMatchObject({
        kid: former.kid,
        retiredAt: at(5 * DAY),
        removeAfter: at(6 * DAY + 60),
      });
    });

    it('destroys the private half of the key that signs no more', async () => {
      const authority = await registry.authority();
      const former = await keyOf(authority, 'active');
      await activate(authority, await announce(authority), 5 * DAY);
      expect((await rowOf(former))?.sealedPrivateKey).toBeNull();
      expect((await rowOf(await keyOf(authority, 'active')))?.sealedPrivateKey).toBeInstanceOf(Uint8Array);
    });

    it('is forced before its time only by somebody who says so, and the audit knows', async () => {
      const authority = await registry.authority();
      const key = await announce(authority);
      const seq = await registry.seq();
      await activate(authority, key, 10, { isForced: true, reason: 'nobody listens yet' });
      const [retired, activated] = await registry.auditAfter(seq);
      expect(retired).toMatchObject({ action: 'authority_key.retire', after: { state: 'retired' } });
      expect(activated).toMatchObject({
        action: 'authority_key.activate',
        before: { state: 'announced' },
        after: { state: 'active', forced: true },
        reason: 'nobody listens yet',
      });
    });

    it.each(['active', 'retired', 'revoked'] as const)('is refused for a key that is %s', async (state) => {
      const authority = await registry.authority();
      await activate(authority, await announce(authority), 5 * DAY);
      await revoke(authority, await announce(authority, 5 * DAY));
      expect(await outcome(activate(authority, await keyOf(authority, state), 30 * DAY))).toBe('illegal_transition');
      expect(await outcome(activate(authority, { kid: 'unknown' }, 30 * DAY))).toBe('not_found');
    });

    it('happens once when two nodes do it at the same time', async () => {
      const authority = await registry.authority();
      const key = await announce(authority);
      const outcomes = await Promise.all([1, 2].map(() => outcome(activate(authority, key, 5 * DAY))));
      expect(outcomes.toSorted()).toEqual(['done', 'illegal_transition']);
      expect(await states(authority)).toEqual(['retired', 'active']);
    });

    it('does not let time run backwards with the clock', async () => {
      const authority = await registry.authority();
      const key = await announce(authority, DAY);
      await activate(authority, key, -30 * DAY, { isForced: true });
      expect(await keyOf(authority, 'retired')).toMatchObject({ retiredAt: at(DAY), removeAfter: at(2 * DAY + 60) });
    });
  });

  describe('an authority with a superior', () => {
    const see = (key: { id: string }, seconds: number, look: Look, superior = SUPERIOR) =>
      recordLook(registry.db, { keyId: key.id, superior }, look, at(seconds));
    const LISTED: Look = { isListed: true, statementSeconds: 3600 };
    const UNLISTED: Look = { isListed: false, statementSeconds: 3600 };

    async function announced(): Promise<{ authority: Authority; key: AuthorityKeyRecord }> {
      const authority = await registry.authority({ authorityHints: [SUPERIOR] });
      return { authority, key: await announce(authority) };
    }

    async function waitOf(authority: Authority, key: AuthorityKeyRecord, seconds: number): Promise<unknown> {
      const error = await refusedBy(activate(authority, key, seconds));
      return (error.details['waits'] as { until: Date | null; detail: string }[])[0];
    }

    it('[OIDFED-11.2-2] waits for a superior whose statement was not read, or does not list the key', async () => {
      const { authority, key } = await announced();
      expect(await waitOf(authority, key, 9 * DAY)).toMatchObject({
        superior: SUPERIOR,
        detail: expect.stringContaining('not read yet'),
      });
      await see(key, 9 * DAY, { failure: 'the superior is away' });
      expect(await waitOf(authority, key, 9 * DAY)).toMatchObject({ detail: 'the superior is away' });
      await see(key, 9 * DAY, UNLISTED);
      expect(await waitOf(authority, key, 9 * DAY)).toMatchObject({ detail: expect.stringContaining('does not list') });
    });

    it('[OIDFED-11.2-5] waits until no statement without the key is in use, by the longest life ever seen', async () => {
      const { authority, key } = await announced();
      await see(key, 9 * DAY, { isListed: false, statementSeconds: 5 * 3600 });
      await see(key, 9 * DAY + 300, LISTED);
      await see(key, 9 * DAY + 4 * 3600, LISTED);
      const safe = 9 * DAY + 300 + 5 * 3600 + 60;
      expect(await waitOf(authority, key, safe - 1)).toMatchObject({ superior: SUPERIOR, until: at(safe) });
      expect(await activate(authority, key, safe)).toMatchObject({ state: 'active' });
    });

    it('begins to count anew when the superior dropped the key in between', async () => {
      const { authority, key } = await announced();
      await see(key, 8 * DAY, LISTED);
      await see(key, 9 * DAY, UNLISTED);
      await see(key, 9 * DAY + 60, LISTED);
      expect(await waitOf(authority, key, 9 * DAY + 120)).toMatchObject({ until: at(9 * DAY + 60 + 3660) });
    });

    it('does not rest on what was seen long ago', async () => {
      const { authority, key } = await announced();
      await see(key, 8 * DAY, LISTED);
      await see(key, 9 * DAY, { failure: 'the superior is away' });
      expect(await waitOf(authority, key, 9 * DAY)).toMatchObject({ until: null, detail: 'the superior is away' });
      await see(key, 9 * DAY + 300, LISTED);
      expect(await activate(authority, key, 9 * DAY + 300)).toMatchObject({ state: 'active' });
    });

    it('waits for every superior, one that was added meanwhile too', async () => {
      const { authority, key } = await announced();
      await see(key, 9 * DAY - 3700, LISTED);
      const authorityHints = [SUPERIOR, 'https://second.example'];
      await updateAuthority(registry.context(), authority.id, { authorityHints });
      expect(await waitOf(authority, key, 9 * DAY)).toMatchObject({ superior: 'https://second.example' });
      await see(key, 9 * DAY - 3700, LISTED, 'https://second.example');
      expect(await activate(authority, key, 9 * DAY)).toMatchObject({ state: 'active' });
    });

    it('shows superior by superior what was seen, for announced keys only', async () => {
      const { authority, key } = await announced();
      await see(key, 60, LISTED);
      const listed = await keysOf(authority);
      expect(listed.map(({ superiors }) => superiors.length)).toEqual([0, 1]);
      expect(listed[1]?.superiors[0]).toMatchObject({ superior: SUPERIOR, sighting: { listedAt: at(60) } });
    });
  });

  describe('the longest life of what a key signed', () => {
    async function retiredAfter(authority: Authority, change: () => Promise<unknown>): Promise<number> {
      const key = await announce(authority);
      await change();
      await activate(authority, key, 0, { isForced: true });
      const { retiredAt, removeAfter } = await keyOf(authority, 'retired');
      return ((removeAfter?.getTime() ?? 0) - (retiredAt?.getTime() ?? 0)) / 1000 - 60;
    }

    it('[OIDFED-11.2-6] is that of the authority, also when it is lowered before the roll', async () => {
      const authority = await registry.authority({ statementLifetimeSeconds: 10 * DAY });
      const lower = () => updateAuthority(registry.context(), authority.id, { statementLifetimeSeconds: 60 });
      expect(await retiredAfter(authority, lower)).toBe(10 * DAY);
      expect(await keyOf(authority, 'active')).toMatchObject({ longestLifetimeSeconds: DAY });
    });

    it('follows what an authority is raised to', async () => {
      const authority = await registry.authority();
      const raise = () => updateAuthority(registry.context(), authority.id, { resolveLifetimeSeconds: 3 * DAY });
      expect(await retiredAfter(authority, raise)).toBe(3 * DAY);
    });

    it('follows what a single entity has, enrolled with it or changed to it', async () => {
      const enrolled = await registry.authority();
      const organisation = await registry.organisation(enrolled);
      const enrol = () => registry.entity(organisation, { statementLifetimeSeconds: 20 * DAY });
      expect(await retiredAfter(enrolled, enrol)).toBe(20 * DAY);
      expect(await keyOf(enrolled, 'active')).toMatchObject({ longestLifetimeSeconds: 20 * DAY });
      const changed = await registry.authority();
      const entity = await registry.entity(await registry.organisation(changed));
      const change = () => updateEntity(registry.context(), entity.id, { statementLifetimeSeconds: 30 * DAY });
      expect(await retiredAfter(changed, change)).toBe(30 * DAY);
    });
  });

  describe('archiving', () => {
    async function rolled(): Promise<{ authority: Authority; former: AuthorityKeyRecord }> {
      const authority = await registry.authority();
      const former = await keyOf(authority, 'active');
      await activate(authority, await announce(authority), 5 * DAY);
      return { authority, former };
    }

    it('[OIDFED-8.7-5] moves a retired key to the historical ones when all that it signed is over', async () => {
      const { authority, former } = await rolled();
      expect(await archive(authority, former, 6 * DAY + 59)).toBe(false);
      expect(await archive(authority, former, 6 * DAY + 60)).toBe(true);
      expect(await keyOf(authority, 'historical')).toMatchObject({ kid: former.kid, expiresAt: at(6 * DAY + 60) });
      const seq = await registry.seq();
      expect(await archive(authority, former, 9 * DAY)).toBe(false);
      expect(await registry.seq()).toBe(seq);
    });

    it('waits for what lives without end', async () => {
      const { authority, former } = await rolled();
      const rests = { ...STATEMENTS_ONLY, stillLives: async (_tx: unknown, kid: string) => kid === former.kid };
      expect(await archive(authority, former, 99 * DAY, rests)).toBe(false);
      expect(await states(authority)).toEqual(['retired', 'active']);
    });

    it('is nothing for the key that signs', async () => {
      const { authority } = await rolled();
      expect(await archive(authority, await keyOf(authority, 'active'), 99 * DAY)).toBe(false);
    });
  });

  describe('revoking', () => {
    it('[OIDFED-8.7-9] lets the key that is kept ready sign in the same moment', async () => {
      const authority = await registry.authority();
      const leaked = await keyOf(authority, 'active');
      const standby = await announce(authority, 0, { isStandby: true });
      const compromised = { revocationReason: 'compromised', reason: 'a laptop was stolen' };
      const result = await revoke(authority, leaked, 7, compromised);
      expect(result).toMatchObject({
        key: { kid: leaked.kid, state: 'revoked', revokedAt: at(7), revocationReason: 'compromised' },
        signingKid: standby.kid,
        failure: null,
      });
      expect(await states(authority)).toEqual(['revoked', 'active']);
      expect((await rowOf(leaked))?.sealedPrivateKey).toBeNull();
    });

    it('takes an announced key early, and makes one where there is none', async () => {
      const rolling = await registry.authority();
      const announced = await announce(rolling);
      expect((await revoke(rolling, await keyOf(rolling, 'active'))).signingKid).toBe(announced.kid);
      const alone = await registry.authority();
      const former = await keyOf(alone, 'active');
      const { signingKid } = await revoke(alone, former);
      expect(await keyOf(alone, 'active')).toMatchObject({ kid: signingKid });
      expect(signingKid).not.toBe(former.kid);
    });

    it('is done although no key can be made in its place; the next one that can be signs at once', async () => {
      const authority = await registry.authority();
      const broken: GenerateAuthorityKey = () => Promise.reject(new Error('the token is unplugged'));
      const result = await revoke(authority, await keyOf(authority, 'active'), 0, SUPERSEDED, broken);
      expect(result).toMatchObject({ signingKid: null, failure: 'the token is unplugged' });
      expect(await states(authority)).toEqual(['revoked']);
      expect(await announce(authority, 60)).toMatchObject({ state: 'active', activatedAt: at(60) });
    });

    it('holds nothing up while the key is made that takes its place', async () => {
      const authority = await registry.authority();
      const former = await keyOf(authority, 'active');
      const { failure } = await revoke(authority, former, 0, SUPERSEDED, renaming(authority));
      expect(failure).toBeNull();
      expect(await states(authority)).toEqual(['revoked', 'active']);
    });

    it('is not held up by whoever makes keys and does not come to an end', async () => {
      const authority = await registry.authority();
      const { kid } = await keyOf(authority, 'active');
      const tools = { generateKey: () => new Promise<never>(() => {}), signedByKey: STATEMENTS_ONLY, patienceMs: 5 };
      const result = await revokeAuthorityKey(contextAt(0), authority.id, kid, SUPERSEDED, tools);
      expect(result).toMatchObject({ signingKid: null, failure: 'no key was made within 0.005 s' });
      expect(await states(authority)).toEqual(['revoked']);
    });

    it('makes no key where none is needed', async () => {
      const authority = await registry.authority();
      const never: GenerateAuthorityKey = () => expect.unreachable('no key is needed');
      await revoke(authority, await announce(authority), 0, SUPERSEDED, never);
      await announce(authority);
      expect((await revoke(authority, await keyOf(authority, 'active'), 0, SUPERSEDED, never)).failure).toBeNull();
    });

    it('of a retired key counts what was stored until it retired, not what the next one signed', async () => {
      const authority = await registry.authority();
      const former = await keyOf(authority, 'active');
      await activate(authority, await announce(authority), 5 * DAY);
      const store = (subject: string, seconds: number) =>
        registry.db.insert(issuedStatements).values({
          ...{ authorityId: authority.id, kind: 'subordinate-statement', subject, claimsHash: '', basisVersion: 1 },
          ...{ jwt: '', issuedAt: at(seconds), expiresAt: at(9 * DAY), refreshAt: at(8 * DAY) },
        });
      await store('https://before.example', 5 * DAY - 100);
      await store('https://afterwards.example', 5 * DAY + 100);
      const { impact } = await revoke(authority, former, 5 * DAY + 200);
      expect(impact.statements).toEqual([{ kind: 'subordinate-statement', count: 1, lastExpiresAt: at(9 * DAY) }]);
    });

    it('of an announced key leaves the one that signs', async () => {
      const authority = await registry.authority();
      const { kid } = await keyOf(authority, 'active');
      const result = await revoke(authority, await announce(authority));
      expect(result).toMatchObject({
        signingKid: kid,
        impact: { outstandingUntil: null, statements: [], subordinates: 0 },
      });
      expect(await states(authority)).toEqual(['active', 'revoked']);
      expect(await outcome(announce(authority))).toBe('done');
    });

    it('of a historical key keeps its end; twice is refused', async () => {
      const authority = await registry.authority();
      const former = await keyOf(authority, 'active');
      await activate(authority, await announce(authority), 5 * DAY);
      await archive(authority, former, 7 * DAY);
      await revoke(authority, former, 9 * DAY);
      expect(await keyOf(authority, 'revoked')).toMatchObject({ expiresAt: at(7 * DAY), revokedAt: at(9 * DAY) });
      expect(await outcome(revoke(authority, former, 9 * DAY))).toBe('illegal_transition');
    });

    it('says nothing where nothing was said, and refuses what is no reason', async () => {
      const authority = await registry.authority();
      const unspecified = { revocationReason: 'unspecified', reason: 'a test' };
      expect((await revoke(authority, await announce(authority), 0, unspecified)).key.revocationReason).toBeNull();
      for (const revocationReason of ['', 'two words', 'quote"', 'x'.repeat(201)]) {
        const attempt = revoke(authority, await keyOf(authority, 'active'), 0, { revocationReason, reason: 'x' });
        expect(await outcome(attempt)).toBe('validation_failed at /revocationReason');
      }
    });

    it('tells what is affected', async () => {
      const authority = await registry.authority({ authorityHints: [SUPERIOR], statementLifetimeSeconds: 2 * DAY });
      await registry.entity(await registry.organisation(authority));
      const key = await keyOf(authority, 'active');
      const other = await registry.authority();
      const pins = { entityIdentifier: authority.entityIdentifier, jwks: { keys: [key.publicJwk] } } as never;
      await pinTrustAnchor(registry.context(), other.id, pins);
      expect((await revoke(authority, key, 100)).impact).toEqual({
        statements: [],
        outstandingUntil: at(100 + 2 * DAY),
        subordinates: 1,
        trustMarks: 0,
        delegations: 0,
        superiors: [SUPERIOR],
        pinnedBy: [other.entityIdentifier],
      });
    });
  });

  describe('settings', () => {
    it.each([
      [{ keyAnnounceSeconds: DAY - 1 }, '/keyAnnounceSeconds'],
      [{ keyAnnounceSeconds: 367 * DAY }, '/keyAnnounceSeconds'],
      [{ keyAnnounceSeconds: DAY + 0.5 }, '/keyAnnounceSeconds'],
      [{ keyRollIntervalSeconds: 5 * DAY }, '/keyRollIntervalSeconds'],
      [{ keyAnnounceSeconds: 2 * DAY, keyRollIntervalSeconds: 2 * DAY }, '/keyRollIntervalSeconds'],
      [{ keyRollIntervalSeconds: 3661 * DAY }, '/keyRollIntervalSeconds'],
    ])('refuse %j, with which keys could not be learned in time', async (settings, field) => {
      expect(await outcome(registry.authority(settings))).toBe(`validation_failed at ${field}`);
      const { id } = await registry.authority();
      expect(await outcome(updateAuthority(registry.context(), id, settings))).toBe(`validation_failed at ${field}`);
    });

    it('are kept, and null takes them back', async () => {
      const settings = { keyAnnounceSeconds: DAY, keyRollIntervalSeconds: 90 * DAY, isStandbyKeyKept: true };
      const authority = await registry.authority(settings);
      expect(authority).toMatchObject(settings);
      const none = { keyAnnounceSeconds: null, keyRollIntervalSeconds: null, isStandbyKeyKept: false };
      expect(await updateAuthority(registry.context(), authority.id, none)).toMatchObject(none);
    });
  });
});
