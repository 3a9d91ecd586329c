import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { readStanding } from '../../../src/registry/entities/read-standing.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { freshIdentifier, openRegistry, type TestRegistry } from '../../support/registry.ts';

describe.each(DATABASE_KINDS)('the standing of a subject on %s', (kind) => {
  let registry: TestRegistry;
  let anchor: Authority;
  let intermediate: Authority;
  let unrelated: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    anchor = await registry.authority();
    intermediate = await registry.authority({ authorityHints: [anchor.entityIdentifier] });
    unrelated = await registry.authority();
    const { entityIdentifier } = intermediate;
    await registry.entity(await registry.organisation(anchor), { entityIdentifier, isIntermediate: true });
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const standing = (subject: string, root = anchor) =>
    readStanding(registry.db, subject, [root], [anchor, intermediate, unrelated]);
  const under = async (authority: Authority, ...state: Parameters<TestRegistry['entity']>[2][]) =>
    (await registry.entity(await registry.organisation(authority), {}, state[0])).entityIdentifier;

  it.each([
    ['active', 'active'],
    ['suspended', 'ended'],
    ['withdrawn', 'ended'],
    ['revoked', 'ended'],
  ] as const)('whose record is %s is %s', async (state, expected) => {
    expect(await standing(await under(anchor, state))).toBe(expected);
  });

  it.each(['pending', 'rejected'] as const)(
    '[OIDFED-8.3-22] whose record is %s is that of a stranger: nobody learns from us who asked to be enrolled',
    async (state) => {
      expect(await standing(await under(anchor, state))).toBe('unknown');
      expect(await standing(freshIdentifier('stranger'))).toBe('unknown');
    },
  );

  it('below one of our Intermediates counts as that of the Trust Anchor', async () => {
    expect(await standing(await under(intermediate))).toBe('active');
    expect(await standing(await under(intermediate, 'suspended'))).toBe('ended');
  });

  it('does not show what another authority knows', async () => {
    expect(await standing(await under(unrelated))).toBe('unknown');
    expect(await standing(await under(unrelated, 'revoked'))).toBe('unknown');
    expect(await standing(await under(anchor), unrelated)).toBe('unknown');
  });

  it('ends with its organisation', async () => {
    const organisation = await registry.organisation(anchor);
    const { entityIdentifier } = await registry.entity(organisation);
    await transitionOrganisation(registry.context(), organisation.id, 'suspend', 'x');
    expect(await standing(entityIdentifier)).toBe('ended');
  });

  it('is active where one record is, although another has ended', async () => {
    const entityIdentifier = await under(anchor, 'revoked');
    await registry.entity(await registry.organisation(intermediate), { entityIdentifier });
    expect(await standing(entityIdentifier)).toBe('active');
  });

  it('has ended below an Intermediate of ours that is suspended itself', async () => {
    const suspended = await registry.authority();
    const organisation = await registry.organisation(anchor);
    const { entityIdentifier } = suspended;
    await registry.entity(organisation, { entityIdentifier, isIntermediate: true }, 'suspended');
    const subject = await under(suspended);
    expect(await readStanding(registry.db, subject, [anchor], [anchor, suspended])).toBe('ended');
  });
});
