import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { createAuthority } from '../../../src/registry/authorities/create-authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { HostingHosts } from '../../../src/registry/hosting/hosting-hosts.ts';
import { requireHostingPlace } from '../../../src/registry/hosting/hosting-place.ts';
import { readHosting } from '../../../src/registry/hosting/read-hosting.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import type { RegistryChange } from '../../../src/storage/change-feed.ts';
import { organisations } from '../../../src/storage/schema/organisations.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { generateHostedKey } from '../../support/hosting-verbs.ts';
import { untilWaiting } from '../../support/postgres-locks.ts';
import {
  actor,
  freshIdentifier,
  generateTestKey,
  openRegistry,
  outcome,
  type TestRegistry,
} from '../../support/registry.ts';

const REFUSED = 'validation_failed at /entityIdentifier';
const METADATA = { openid_relying_party: { client_name: 'Clinic' } };

describe.each(DATABASE_KINDS)('a host name of a partner on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;

  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });

  afterAll(() => registry[Symbol.asyncDispose]());

  /** Enrolled by an organisation of its own. */
  const enrolled = async (entityIdentifier: string) =>
    enrolledBy(await registry.organisation(authority), entityIdentifier);

  async function enrolledBy(organisation: Organisation, entityIdentifier: string): Promise<Entity> {
    const key = await generateHostedKey(entityIdentifier);
    const hosting = { metadata: METADATA, configurationLifetimeSeconds: 3600, key };
    const jwks = { keys: [key.publicJwk] };
    return await registry.entity(organisation, { entityIdentifier, enrolment: 'hosted', jwks, hosting }, 'pending');
  }

  const approve = ({ id }: Entity) => transitionEntity(registry.context(), id, 'approve', 'looks good');
  const create = (entityIdentifier: string) =>
    createAuthority(registry.context(), { entityIdentifier, name: 'Test Federation' }, generateTestKey);

  it('belongs to whom an entity is approved for: what waits keeps nobody out', async () => {
    const host = freshIdentifier('partner');
    const [first, second] = [await enrolled(`${host}/rp`), await enrolled(`${host}/op`)];
    await approve(second);
    expect(await outcome(approve(first))).toBe(REFUSED);
    expect(await outcome(enrolled(`${host}/third`))).toBe(REFUSED);
  });

  it('may become that of an authority before anything is approved there, and then has no hosted entity', async () => {
    const host = freshIdentifier('partner');
    const waiting = await enrolled(`${host}/rp`);
    await create(host);
    expect(await outcome(approve(waiting))).toBe(REFUSED);
  });

  // On the embedded database one transaction follows after the other.
  if (kind === 'postgresql')
    it('is given away by one at a time', async () => {
      const host = freshIdentifier('partner');
      const waiting = await enrolled(`${host}/rp`);
      let creation: Promise<string> | undefined;
      await registry.db.transaction(async (tx) => {
        await requireHostingPlace(tx, waiting, undefined);
        creation = outcome(create(host));
        await untilWaiting(registry.db);
      });
      expect(await creation).toBe('done');
    });

  if (kind === 'postgresql') {
    it('is given to nobody whose organisation is closed meanwhile', async () => {
      const organisation = await registry.organisation(authority);
      const close = () => transitionOrganisation(registry.context(), organisation.id, 'revoke', 'for good');
      let late: Promise<string> | undefined;
      await registry.db.transaction(async (tx) => {
        await tx.select().from(organisations).where(eq(organisations.id, organisation.id)).for('no key update');
        late = outcome(enrolledBy(organisation, `${freshIdentifier('partner')}/rp`));
        await untilWaiting(registry.db);
        await tx.update(organisations).set({ state: 'revoked' }).where(eq(organisations.id, organisation.id));
      });
      expect(await late).toBe('organisation_not_active');
      expect(await outcome(close())).toBe('illegal_transition');
    });

    it('is taken from whoever was enrolled while its organisation was about to be closed', async () => {
      const organisation = await registry.organisation(authority);
      let closing: Promise<unknown> | undefined;
      const entity = await registry.db.transaction(async (tx) => {
        await tx.select().from(organisations).where(eq(organisations.id, organisation.id)).for('share');
        closing = transitionOrganisation(registry.context(), organisation.id, 'revoke', 'for good');
        await untilWaiting(registry.db);
        return await enrolledBy(organisation, `${freshIdentifier('partner')}/rp`);
      });
      await closing;
      expect((await readHosting(registry.db, actor(), entity.id)).keys).toMatchObject([{ state: 'removed' }]);
    });
  }

  describe('in memory', () => {
    const change = (subjectKind: 'entity' | 'organisation', subjectId: string, action: string) =>
      ({ subjectKind, subjectId, action, seq: 1 }) as RegistryChange;

    it('is known from the enrolment until the last of its entities is gone', async () => {
      const hosts = new HostingHosts(registry.db, { hostedBaseUrl: undefined });
      const host = freshIdentifier('partner');
      const kindAfter = async (...changes: RegistryChange[]) => {
        await hosts.follow(changes);
        return hosts.kindOf(new URL(host).hostname);
      };
      const entity = await enrolled(`${host}/rp`);
      expect(await kindAfter(change('entity', entity.id, 'entity.add'))).toBe('awaited');
      await approve(entity);
      expect(await kindAfter(change('entity', entity.id, 'entity.approve'))).toBe('partner');
      await transitionOrganisation(registry.context(), entity.organisationId, 'revoke', 'for good');
      expect(await kindAfter(change('organisation', entity.organisationId, 'organisation.revoke'))).toBeUndefined();
    });

    it('is read when it changed itself, not with every change', async () => {
      const hosts = new HostingHosts(registry.db, { hostedBaseUrl: undefined });
      const [one, other] = [await enrolled(freshIdentifier('partner')), await enrolled(freshIdentifier('partner'))];
      await hosts.follow([change('entity', one.id, 'entity.add')]);
      const kinds = () => [one, other].map(({ entityIdentifier }) => hosts.kindOf(new URL(entityIdentifier).hostname));
      expect(kinds()).toEqual(['awaited', undefined]);
      await hosts.reload();
      expect(kinds()).toEqual(['awaited', 'awaited']);
    });
  });
});
