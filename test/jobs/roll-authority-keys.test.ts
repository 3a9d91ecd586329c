import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeyRolls, type KeyRollsOptions } from '../../src/jobs/roll-authority-keys.ts';
import { createSuperiorStatements } from '../../src/jobs/superior-statements.ts';
import type { Authority, AuthorityKeyRecord, GenerateAuthorityKey } from '../../src/registry/authorities/authority.ts';
import { announceAuthorityKey } from '../../src/registry/authorities/keys/announce-authority-key.ts';
import { revokeAuthorityKey } from '../../src/registry/authorities/keys/revoke-authority-key.ts';
import { STATEMENTS_ONLY } from '../../src/registry/authorities/keys/signed-by-key.ts';
import { listAuthorityKeys } from '../../src/registry/authorities/read-authority.ts';
import { updateEntity } from '../../src/registry/entities/update-entity.ts';
import { claimsOf, headerOf, jwtOf, refusalIn } from '../support/answers.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { serveFederation } from '../support/federation-server.ts';
import { testClient } from '../support/outbound.ts';
import { actor, freshIdentifier, generateTestKey } from '../support/registry.ts';
import { startTestService, type TestService } from '../support/service.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
const EVERY_30_DAYS = { keyRollIntervalSeconds: 30 * DAY };
const OPTIONS = { generateKey: generateTestKey, signedByKey: STATEMENTS_ONLY };

describe.each(DATABASE_KINDS)('the round that moves keys along, on %s', (kind) => {
  let service: TestService;
  beforeEach(async () => {
    service = await startTestService(kind);
  });
  afterEach(() => service[Symbol.asyncDispose]());

  const keysOf = ({ id }: Authority) => listAuthorityKeys(service.db, actor(), id);
  const states = async (authority: Authority) => (await keysOf(authority)).map(({ state }) => state).join(' ');
  const publishedKids = async (authority: Authority) => (await service.jwks(authority)).keys.map(({ kid }) => kid);

  async function keyOf(authority: Authority, state: AuthorityKeyRecord['state']): Promise<AuthorityKeyRecord> {
    const key = (await keysOf(authority)).find((one) => one.state === state);
    if (key === undefined) throw new Error(`no ${state} key`);
    return key;
  }

  /** Time passes, then it is the round's turn. */
  async function later(seconds: number): Promise<void> {
    service.clock.advance(seconds);
    await service.keyRolls.run();
  }

  const announce = ({ id }: Authority) => announceAuthorityKey(service.context(), id, {}, generateTestKey);

  async function configuration(authority: Authority): Promise<string> {
    return await jwtOf(await service.ask(authority, 'configuration'), 'application/entity-statement+jwt');
  }

  it('[OIDFED-11.2-1] rolls by the policy: announced, active, retired, historical', async () => {
    const authority = await service.authority(EVERY_30_DAYS);
    await later(25 * DAY - 1);
    expect(await states(authority)).toBe('active');
    await later(1);
    expect(await states(authority)).toBe('active announced');
    const [former, next] = (await keysOf(authority)).map(({ kid }) => kid);
    expect(headerOf(await configuration(authority))['kid']).toBe(former);
    expect(claimsOf(await configuration(authority))['jwks']).toMatchObject({ keys: [{ kid: former }, { kid: next }] });
    await later(5 * DAY);
    expect(await states(authority)).toBe('retired active');
    expect(headerOf(await configuration(authority))['kid']).toBe(next);
    expect(await publishedKids(authority)).toEqual([former, next]);
    await later(DAY + 60);
    expect(await states(authority)).toBe('historical active');
    expect(claimsOf(await configuration(authority))['jwks']).toMatchObject({ keys: [{ kid: next }] });
    await later(24 * DAY);
    expect(await states(authority)).toBe('historical active announced');
    expect(service.failures).toEqual([]);
  });

  it('leaves keys alone where they are rolled by hand', async () => {
    const authority = await service.authority();
    await later(3650 * DAY);
    expect(await states(authority)).toBe('active');
  });

  it('keeps a key ready, and another when that one was taken', async () => {
    const authority = await service.authority({ isStandbyKeyKept: true });
    await later(1);
    const standby = await keyOf(authority, 'announced');
    expect(standby.activateAfter).toBeNull();
    await later(400 * DAY);
    expect(await states(authority)).toBe('active announced');
    const { kid } = await keyOf(authority, 'active');
    const revocation = { revocationReason: 'compromised', reason: 'a test' };
    await revokeAuthorityKey(service.context(), authority.id, kid, revocation, OPTIONS);
    expect(headerOf(await configuration(authority))['kid']).toBe(standby.kid);
    await later(60);
    expect(await states(authority)).toBe('revoked active announced');
  });

  it('lets a key that is kept ready take its turn when the interval is over, not before', async () => {
    const authority = await service.authority({ ...EVERY_30_DAYS, isStandbyKeyKept: true });
    await later(1);
    const standby = await keyOf(authority, 'announced');
    await later(30 * DAY - 2);
    expect(await states(authority)).toBe('active announced');
    await later(1);
    expect(await keyOf(authority, 'active')).toMatchObject({ kid: standby.kid });
    expect(service.failures).toEqual([]);
  });

  it('goes on where a node stopped', async () => {
    const authority = await service.authority(EVERY_30_DAYS);
    await later(25 * DAY);
    await service.restart();
    await later(5 * DAY);
    await service.restart();
    await later(DAY + 60);
    expect(await states(authority)).toBe('historical active');
  });

  it('does each step once, however many nodes do it at the same time', async () => {
    await service.authority({ ...EVERY_30_DAYS, isStandbyKeyKept: true });
    const errors: unknown[] = [];
    const nodes = [1, 2, 3].map(() => new KeyRolls(nodeOptions({ onError: (error) => errors.push(error) })));
    const seq = await service.seq();
    for (const seconds of [1, 25 * DAY, 5 * DAY, DAY + 60]) {
      service.clock.advance(seconds);
      await Promise.all(nodes.map((node) => node.run()));
    }
    const actions = (await service.auditAfter(seq)).map(({ action }) => action.replace('authority_key.', ''));
    // Kept ready; scheduled; took its turn; the next one kept ready; the first one archived.
    expect(actions.filter((action) => action === 'announce')).toHaveLength(3);
    expect(actions.filter((action) => action !== 'announce')).toEqual(['retire', 'activate', 'archive']);
    expect(errors).toEqual([]);
  });

  it('makes a key as soon as one can be made where none signs; until then nothing is signed', async () => {
    const authority = await service.authority();
    const rp = await service.entity(await service.organisation(authority));
    const broken: GenerateAuthorityKey = () => Promise.reject(new Error('the token is unplugged'));
    const { kid } = await keyOf(authority, 'active');
    const revocation = { revocationReason: 'compromised', reason: 'a test' };
    const tools = { generateKey: broken, signedByKey: STATEMENTS_ONLY };
    await revokeAuthorityKey(service.context(), authority.id, kid, revocation, tools);
    expect(await refusalIn(await service.ask(authority, 'configuration'))).toBe('503 temporarily_unavailable');
    const statement = () => service.ask(authority, 'fetch', { sub: rp.entityIdentifier });
    expect(await refusalIn(await statement())).toBe('503 temporarily_unavailable');
    expect((await service.ask(authority, 'list')).status).toBe(200);
    const errors: unknown[] = [];
    await new KeyRolls(nodeOptions({ generateKey: broken, onError: (error) => errors.push(error) })).run();
    expect(errors.map(String)).toEqual(['Error: the token is unplugged']);
    await later(60);
    expect((await statement()).status).toBe(200);
    expect(await states(authority)).toBe('revoked active');
  });

  it("one authority's trouble does not hold up another", async () => {
    const [broken, fine] = [await service.authority(EVERY_30_DAYS), await service.authority(EVERY_30_DAYS)];
    const troubles: string[] = [];
    const rolls = new KeyRolls(
      nodeOptions({
        generateKey: (id) => (id === broken.id ? Promise.reject(new Error('unplugged')) : generateTestKey(id)),
        onError: (_error, authority) => troubles.push(authority),
      }),
    );
    service.clock.advance(25 * DAY);
    await rolls.run();
    expect([await states(broken), await states(fine)]).toEqual(['active', 'active announced']);
    expect(troubles).toEqual([broken.entityIdentifier]);
  });

  it('[OIDFED-11.2-2] [OIDFED-11.2-3] waits for a superior of the same deployment as for any other', async () => {
    const anchor = await service.authority();
    const { intermediate, record } = await service.intermediate(anchor, await service.organisation(anchor));
    const key = await announce(intermediate);
    await later(6 * DAY);
    expect(await states(intermediate)).toBe('active announced');
    expect((await keysOf(intermediate))[1]?.superiors).toMatchObject([
      { superior: anchor.entityIdentifier, sighting: { listedAt: null, failure: null } },
    ]);
    const jwks = await service.jwks(intermediate);
    await service.publishKeys(record, jwks);
    await updateEntity(service.context(), record.id, { jwks });
    await later(300);
    const statement = await service.ask(anchor, 'fetch', { sub: intermediate.entityIdentifier });
    expect(claimsOf(await jwtOf(statement, 'application/entity-statement+jwt'))['jwks']).toEqual(jwks);
    await later(HOUR);
    expect(await states(intermediate)).toBe('active announced');
    await later(60);
    expect(await keyOf(intermediate, 'active')).toMatchObject({ kid: key.kid });
    expect(service.failures).toEqual([]);
  });

  it('[OIDFED-11.2-2] waits for a superior elsewhere, for weeks if need be, shows why and tells it once an hour', async () => {
    const identifier = freshIdentifier('branch');
    const hints = { branch: { identifier, superiors: { anchor: {} } }, anchor: {} };
    await using server = await serveFederation(hints, { clock: service.clock });
    await using outbound = testClient();
    const superior = server.federation.id('anchor');
    const authority = await service.authority({ entityIdentifier: identifier, authorityHints: [superior] });
    const listAtSuperior = async () =>
      void server.federation.entity('branch').superiors.set('anchor', { jwks: await service.jwks(authority) });
    await listAtSuperior();
    const key = await announce(authority);
    const told: number[] = [];
    const rolls = new KeyRolls(
      nodeOptions({
        readSuperiorStatement: createSuperiorStatements({
          outbound,
          ownAuthorities: { entityConfiguration: async () => undefined, subordinateStatement: async () => null },
          clock: service.clock,
          allowHttp: false,
        }),
        onWaiting: () => told.push(service.clock.now()),
      }),
    );
    const wait = async (seconds: number) => {
      service.clock.advance(seconds);
      await rolls.run();
    };
    server.override(server.fetchUrl('anchor', 'branch'), { status: 503 });
    await wait(5 * DAY);
    const begin = service.clock.now();
    for (let minute = 0; minute < 120; minute += 10) await wait(600);
    expect(told).toHaveLength(3);
    await wait(21 * DAY);
    expect(await states(authority)).toBe('active announced');
    const [, shown] = await keysOf(authority);
    expect(shown?.superiors).toMatchObject([
      { superior, sighting: { seenAt: null, failure: expect.stringContaining('answered with status 503') } },
    ]);
    // No more than every five minutes, although the round comes more often.
    const asked = server.requests.length;
    for (let minute = 0; minute < 5; minute++) await wait(59);
    expect(server.requests.length - asked).toBeLessThanOrEqual(2);

    server.restore(server.fetchUrl('anchor', 'branch'));
    await wait(300);
    await listAtSuperior();
    await wait(300);
    await wait(HOUR);
    expect(await states(authority)).toBe('active announced');
    await wait(60);
    expect(await keyOf(authority, 'active')).toMatchObject({ kid: key.kid });
    expect(service.clock.now() - begin).toBeGreaterThan(21 * DAY);
  });

  function nodeOptions(changes: Partial<KeyRollsOptions>): KeyRollsOptions {
    return {
      db: service.db,
      changeContext: () => service.context(),
      ...OPTIONS,
      readSuperiorStatement: () => Promise.reject(new Error('nobody asks a superior here')),
      onWaiting: () => {},
      onError: (error) => expect.unreachable(String(error)),
      ...changes,
    };
  }
});
