import { eq } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reviewConfigurations } from '../../../src/jobs/review-configurations.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { addEntity } from '../../../src/registry/entities/add-entity.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { readEntity } from '../../../src/registry/entities/read-entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { remindMembers } from '../../../src/registry/life-cycle/attestation/remind-members.ts';
import { takeFindings } from '../../../src/registry/life-cycle/directory-findings.ts';
import { listFindings } from '../../../src/registry/life-cycle/list-findings.ts';
import { addContact } from '../../../src/registry/organisations/contacts/add-contact.ts';
import { removeContact } from '../../../src/registry/organisations/contacts/remove-contact.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { outgoingMails } from '../../../src/storage/schema/outgoing-mails.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { NOW } from '../../support/federation.ts';
import {
  actor,
  NOW_DATE,
  newEntity,
  nextId,
  openRegistry,
  outcome,
  type TestRegistry,
} from '../../support/registry.ts';

describe.each(DATABASE_KINDS)('findings in the directory, on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeEach(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterEach(() => registry[Symbol.asyncDispose]());

  const hours = (count: number) => new Date(NOW_DATE.getTime() + count * 3_600_000);
  const take = (now = NOW_DATE) => takeFindings(registry.context(actor(), { now }));
  const list = async (by = actor()) => (await listFindings(registry.db, by, {}, { limit: 100 })).items;
  const found = async () => (await list()).map((one) => `${one.kind} ${one.subjectName}`);

  it('an entity whose organisation is closed for good, until it is closed, too', async () => {
    const organisation = await registry.organisation(authority);
    const entity = await registry.entity(organisation);
    await transitionOrganisation(registry.context(), organisation.id, 'suspend', 'x');
    await take();
    expect(await found()).toEqual([]);
    await transitionOrganisation(registry.context(), organisation.id, 'revoke', 'x');
    await take(hours(1));
    await take(hours(2));
    expect(await list()).toEqual([
      {
        id: expect.any(String),
        kind: 'owner_closed',
        authorityId: authority.id,
        organisationId: organisation.id,
        organisation: 'Partner Ltd',
        subjectKind: 'entity',
        subjectId: entity.id,
        subjectName: entity.entityIdentifier,
        detail: expect.stringContaining('its organisation is revoked'),
        since: hours(1),
      },
    ]);
    await transitionEntity(registry.context(), entity.id, 'withdraw', 'x');
    await take(hours(3));
    expect(await found()).toEqual([]);
  });

  it('a credential that is valid although its entity is closed', async () => {
    const entity = await registry.entity(await registry.organisation(authority));
    await registry.db.insert(credentials).values({
      ...{ id: nextId(), authorityId: authority.id, entityId: entity.id, kind: 'jwk', usage: 'signing' },
      ...{ source: 'external', environment: 'production', kid: 'k1', publicJwk: {}, spkiSha256: 'spki' },
      ...{ state: 'active', stateChangedAt: NOW_DATE, version: 1, createdAt: NOW_DATE },
    });
    await transitionEntity(registry.context(), entity.id, 'suspend', 'x');
    await take();
    expect(await found()).toEqual([]);
    const { affected } = await transitionEntity(registry.context(), entity.id, 'revoke', 'x');
    expect(affected).toMatchObject([
      { kind: 'credential', name: 'signing k1', stateBefore: 'suspended', stateAfter: 'revoked' },
    ]);
    await take();
    expect(await found()).toEqual(['credential_orphaned signing k1']);
    await registry.db
      .update(credentials)
      .set({ state: 'revoked', revokedAt: NOW_DATE, revocationReason: 'unspecified' });
    await take();
    expect(await found()).toEqual([]);
  });

  it('an active organisation without the contacts that it must have', async () => {
    const { id, contacts } = await registry.organisation(await registry.authority({ requiredContactTypes: [] }));
    await removeContact(registry.context(), id, contacts[0]?.id ?? '');
    await take();
    expect(await found()).toEqual(['contact_missing Partner Ltd']);
    await addContact(registry.context(), id, { type: 'billing', email: 'bills@partner.example' });
    await take();
    expect(await found()).toEqual([]);
  });

  it('each active entity without a contact that answers, as long as it counts', async () => {
    const organisation = await registry.organisation(await registry.authority({ requiredContactTypes: [] }));
    const { id, contacts } = organisation;
    const all = [await registry.entity(organisation), await registry.entity(organisation)];
    await registry.entity(organisation, {}, 'pending');
    await removeContact(registry.context(), id, contacts[0]?.id ?? '');
    const ofEntities = async () => (await found()).filter((one) => one.startsWith('owner_unreachable')).toSorted();
    const unreachable = all.map(({ entityIdentifier }) => `owner_unreachable ${entityIdentifier}`).toSorted();
    await take();
    expect(await ofEntities()).toEqual(unreachable);
    await addContact(registry.context(), id, { type: 'technical', email: 'tech@partner.example' });
    await take();
    expect(await ofEntities()).toEqual([]);
    // It was reminded, and nobody answered.
    await remindMembers(registry.context(actor(), { now: hours(24 * 365) }));
    await registry.db.update(outgoingMails).set({ sentAt: hours(24 * 365) });
    await take(hours(24 * 400));
    expect(await ofEntities()).toEqual(unreachable);
    await transitionOrganisation(registry.context(), id, 'suspend', 'x');
    await take(hours(24 * 400));
    expect(await ofEntities()).toEqual([]);
  });

  it('are taken in batches, each of which raises and cures what is in it', async () => {
    const organisation = await registry.organisation(authority);
    const all = [];
    for (let index = 0; index < 5; index++) all.push(await registry.entity(organisation));
    await transitionOrganisation(registry.context(), organisation.id, 'withdraw', 'x');
    const takeInTwos = () => takeFindings(registry.context(), { batch: 2 });
    expect(await takeInTwos()).toBe(5);
    const since = (await list()).map(({ id }) => id);
    for (const { id } of [all[1], all[4]].filter((one) => one !== undefined)) {
      await registry.db.update(entities).set({ state: 'withdrawn' }).where(eq(entities.id, id));
    }
    expect(await takeInTwos()).toBe(0);
    const left = [all[0], all[2], all[3]].map((one) => `owner_closed ${one?.entityIdentifier}`);
    expect((await found()).toSorted()).toEqual(left.toSorted());
    for (const { id } of await list()) expect(since).toContain(id);
    await registry.db.update(entities).set({ state: 'withdrawn' });
    await takeInTwos();
    expect(await found()).toEqual([]);
  });

  it('an entity that acts for an organisation that is not active', async () => {
    const principal = await registry.organisation(authority);
    const organisation = await registry.organisation(authority);
    const entity = await registry.entity(organisation, { onBehalfOf: principal.id });
    await transitionOrganisation(registry.context(), principal.id, 'suspend', 'x');
    await take();
    expect(await found()).toEqual([`principal_inactive ${entity.entityIdentifier}`]);
  });

  it('a suspension that cannot end although it should', async () => {
    const { id, contacts } = await registry.organisation(authority);
    const until = hours(1);
    await transitionOrganisation(registry.context(), id, 'suspend', { reason: 'x', until });
    await removeContact(registry.context(), id, contacts[0]?.id ?? '');
    await take(hours(1));
    expect(await found()).toEqual([]);
    await take(hours(2));
    expect(await found()).toEqual(['reinstatement_blocked Partner Ltd']);
  });

  it('is raised once by two nodes', async () => {
    const organisation = await registry.organisation(authority);
    await registry.entity(organisation);
    await transitionOrganisation(registry.context(), organisation.id, 'withdraw', 'x');
    expect((await Promise.all([take(), take()])).toSorted()).toEqual([0, 1]);
  });

  it('goes from page to page, and to nobody who does not reach the record', async () => {
    const organisation = await registry.organisation(authority);
    for (let index = 0; index < 5; index++) await registry.entity(organisation);
    await transitionOrganisation(registry.context(), organisation.id, 'withdraw', 'x');
    await take();
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listFindings(registry.db, actor(), {}, { limit: 2, ...(cursor && { cursor }) });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(seen).toEqual((await list()).map(({ id }) => id));
    expect(seen).toHaveLength(5);
    const elsewhere = await registry.authority();
    expect(await list(actor({ authorities: [elsewhere.id] }))).toEqual([]);
    const broken = listFindings(registry.db, actor(), {}, { limit: 2, cursor: 'nonsense' });
    expect(await outcome(broken)).toBe('validation_failed at /cursor');
  });

  describe('configurations, as they were taken in last', () => {
    const review = (seconds = 0) =>
      reviewConfigurations({
        db: registry.db,
        now: () => new Date((NOW + seconds) * 1000),
        identifiers: { allowHttp: false },
        onError: (error) => {
          throw error;
        },
      });

    /** An active entity whose checks saw these claims. */
    async function entityWith(
      claims: Record<string, unknown>,
      state: 'active' | 'suspended' = 'active',
    ): Promise<Entity> {
      const organisation = await registry.organisation(authority);
      const evidence = {
        digest: 'd',
        iat: NOW,
        exp: NOW + 1000,
        claims: { authority_hints: [authority.entityIdentifier], metadata: METADATA, ...claims },
      };
      return await registry.entity(organisation, { evidence } as Partial<Awaited<ReturnType<typeof newEntity>>>, state);
    }

    const METADATA = {
      openid_relying_party: { redirect_uris: ['https://rp.example/cb'], client_registration_types: ['automatic'] },
    };
    const kindsOf = async ({ id }: Entity) =>
      (await readEntity(registry.db, actor(), id)).findings.map((finding) => finding.kind);

    it('say nothing while all is well, and nothing of those that nobody relies on', async () => {
      const well = await entityWith({});
      const suspended = await entityWith({ authority_hints: [] }, 'suspended');
      await review();
      expect([await kindsOf(well), await kindsOf(suspended)]).toEqual([[], []]);
    });

    it('that dropped our hint', async () => {
      const entity = await entityWith({ authority_hints: ['https://another.example'] });
      await review();
      expect(await kindsOf(entity)).toEqual(['hint_dropped']);
      expect(await found()).toEqual([`hint_dropped ${entity.entityIdentifier}`]);
    });

    it('that end soon, until they are issued anew', async () => {
      const entity = await entityWith({});
      await review(899);
      expect(await kindsOf(entity)).toEqual([]);
      await review(900);
      expect(await kindsOf(entity)).toEqual(['configuration_expiring']);
      const { evidence } = await readEntity(registry.db, actor(), entity.id);
      const later = { ...evidence, iat: NOW + 900, exp: NOW + 1900 };
      await registry.db.update(entities).set({ evidence: later }).where(eq(entities.id, entity.id));
      await review(901);
      expect(await kindsOf(entity)).toEqual([]);
    });

    it('that contradict a policy which came after them', async () => {
      const entity = await entityWith({});
      const policy = { openid_relying_party: { client_registration_types: { subset_of: ['explicit'] } } };
      const essential = { openid_relying_party: { contacts: { essential: true } } };
      const defaultMetadataPolicy = {
        openid_relying_party: { ...policy.openid_relying_party, ...essential.openid_relying_party },
      };
      await updateAuthority(registry.context(), authority.id, { defaultMetadataPolicy });
      await review();
      expect(await kindsOf(entity)).toEqual(['policy_contradicted']);
      await updateAuthority(registry.context(), authority.id, { defaultMetadataPolicy: {} });
      await review();
      expect(await kindsOf(entity)).toEqual([]);
    });

    it('of all entities, however many there are', async () => {
      const entity = await entityWith({ authority_hints: [] });
      const [row] = await registry.db.select().from(entities).where(eq(entities.id, entity.id));
      if (row === undefined) throw new Error('no entity');
      const copies = Array.from({ length: 230 }, (_, index) => ({
        ...row,
        id: nextId(),
        entityIdentifier: `${row.entityIdentifier}/${index}`,
      }));
      await registry.db.insert(entities).values(copies);
      await review();
      const filter = { kind: 'hint_dropped' } as const;
      expect((await listFindings(registry.db, actor(), filter, { limit: 500 })).items).toHaveLength(231);
    });
  });

  it('an entity added under it does not count before it is approved', async () => {
    await addEntity(registry.context(), await newEntity(await registry.organisation(authority)));
    await take();
    expect(await found()).toEqual([]);
  });
});
