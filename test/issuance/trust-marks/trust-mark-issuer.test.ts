import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TrustMarkIssuer, type TrustMarkIssuerOptions } from '../../../src/issuance/trust-marks/trust-mark-issuer.ts';
import { AuthorityDirectory, type ServedAuthority } from '../../../src/registry/authorities/authority-directory.ts';
import { createAuthority } from '../../../src/registry/authorities/create-authority.ts';
import type { NewTrustMark } from '../../../src/registry/trust-marks/grant-trust-mark.ts';
import type { TrustMarkType } from '../../../src/registry/trust-marks/trust-mark-type.ts';
import { CustodyUnavailable } from '../../../src/signer/custody/key-custody.ts';
import { currentTrustMarks, issuedTrustMarks } from '../../../src/storage/schema/trust-marks.ts';
import { claimsOf } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { ManualClock } from '../../support/federation.ts';
import { freshIdentifier, openRegistry, type TestRegistry, testSigner } from '../../support/registry.ts';

describe.each(DATABASE_KINDS)('the Trust Mark issuer on the %s database', (kind) => {
  let registry: TestRegistry;
  let served: ServedAuthority;
  let clock: ManualClock;

  beforeAll(async () => {
    registry = await openRegistry(kind);
    const identity = { entityIdentifier: freshIdentifier('issuer'), name: 'Issuer' };
    // It signs the same twice alike.
    const generateKey = (owner: string) => testSigner.generateKey(owner, 'Ed25519');
    const { id } = await createAuthority(registry.context(), identity, generateKey);
    const directory = new AuthorityDirectory(registry.db);
    await directory.reload();
    served = directory.get(id)!;
    clock = new ManualClock();
  });

  afterAll(() => registry[Symbol.asyncDispose]());

  function node(options: Partial<TrustMarkIssuerOptions> = {}): TrustMarkIssuer {
    const houseRules = { maxLifetimeSeconds: 86_400 };
    return new TrustMarkIssuer({
      ...{ db: registry.db, signer: testSigner, clock, random: () => 0, houseRules },
      ...options,
    });
  }

  async function granted(
    settings: Partial<NewTrustMark> = {},
  ): Promise<{ type: TrustMarkType; subject: string; id: string }> {
    const type = await registry.trustMarkType(served.authority);
    const { subject, id } = await registry.trustMark(type, undefined, settings);
    return { type, subject, id };
  }

  it('signs a mark that ends in a moment once a second at most, and says when it ends', async () => {
    const now = clock.now();
    const { type, subject } = await granted({ expiresAt: new Date((now + 1) * 1000) });
    const first = await node().mark(served, type, subject);
    expect([first?.expiresAt, first?.refreshAt]).toEqual([now + 1, now + 1]);
    expect(await node().mark(served, type, subject)).toEqual(first);
  });

  it('records what is signed alike a second time as the one that it is', async () => {
    const { type, subject, id } = await granted();
    const first = await node().mark(served, type, subject);
    await registry.db.delete(currentTrustMarks).where(eq(currentTrustMarks.trustMarkId, id));
    const second = await node().mark(served, type, subject);
    expect(second?.jwt).toBe(first?.jwt);
    const issued = await registry.db.select().from(issuedTrustMarks).where(eq(issuedTrustMarks.trustMarkId, id));
    expect(issued).toHaveLength(1);
  });

  it('gives a mark for longer than five years an end in five years', async () => {
    const type = await registry.trustMarkType(served.authority, { lifetimeSeconds: null });
    const tenYears = 10 * 366 * 86_400;
    const expiresAt = new Date((clock.now() + tenYears) * 1000);
    const { subject } = await registry.trustMark(type, undefined, { expiresAt });
    const mark = await node().mark(served, type, subject);
    expect(claimsOf(mark?.jwt ?? '')['exp']).toBe(clock.now() + tenYears / 2);
  });

  it('gives the mark as it is while nobody can sign, until it expires', async () => {
    const { type, subject } = await granted();
    const first = await node().mark(served, type, subject);
    const sign = () => Promise.reject(new CustodyUnavailable('the token is unplugged'));
    const unplugged = node({ signer: { ...testSigner, sign } });
    clock.advance(3599);
    expect(await unplugged.mark(served, type, subject)).toMatchObject({ jwt: first?.jwt, refreshAt: clock.now() + 1 });
    clock.advance(1);
    await expect(unplugged.mark(served, type, subject)).rejects.toBeInstanceOf(CustodyUnavailable);
  });
});
