import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SubordinateEvents } from '../../../src/issuance/companion/subordinate-events.ts';
import { AuthorityDirectory } from '../../../src/registry/authorities/authority-directory.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { CustodyUnavailable } from '../../../src/signer/custody/key-custody.ts';
import { claimsOf } from '../../support/answers.ts';
import { ManualClock } from '../../support/federation.ts';
import { openRegistry, type TestRegistry, testSigner } from '../../support/registry.ts';

describe('signed histories while the token that keys are in is away', () => {
  let registry: TestRegistry;

  beforeAll(async () => {
    registry = await openRegistry('embedded');
  });

  afterAll(() => registry[Symbol.asyncDispose]());

  it('are served until they expire, unless something happened', async () => {
    const authority = await registry.authority();
    const organisation = await registry.organisation(authority);
    const { id, entityIdentifier } = await registry.entity(organisation);
    const clock = new ManualClock();
    const directory = new AuthorityDirectory(registry.db);
    await directory.reload();
    const served = directory.find(authority.entityIdentifier);
    if (served === undefined) throw new Error('not served');
    let isAway = false;
    const signer: typeof testSigner = {
      ...testSigner,
      sign: (...given) => (isAway ? Promise.reject(new CustodyUnavailable('unplugged')) : testSigner.sign(...given)),
    };
    const houseRules = { maxLifetimeSeconds: 86_400 };
    const events = new SubordinateEvents({ db: registry.db, signer, clock, directory, houseRules });
    const history = async () => String((await events.history(served, entityIdentifier))?.body);

    const first = await history();
    const { exp } = claimsOf(first) as { exp: number };
    isAway = true;
    clock.advance(exp - 1 - clock.now());
    expect(await history()).toBe(first);
    clock.advance(1);
    await expect(history()).rejects.toThrow(CustodyUnavailable);
    isAway = false;
    const second = await history();
    expect(second).not.toBe(first);

    isAway = true;
    clock.advance(authority.statementLifetimeSeconds - 1);
    expect(await history()).toBe(second);
    await transitionEntity(registry.context(), id, 'suspend', 'incident');
    events.follow([], [{ authorityId: authority.id, entityIdentifier }]);
    await expect(history()).rejects.toThrow(CustodyUnavailable);
  });
});
