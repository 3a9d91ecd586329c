import { gunzipSync } from 'node:zlib';
import { getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  MAX_LAG_SECONDS,
  ParticipantsDocument,
  type PublishedParticipants,
} from '../../../src/issuance/participants/participants-document.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { addContact } from '../../../src/registry/organisations/contacts/add-contact.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { updateOrganisation } from '../../../src/registry/organisations/update-organisation.ts';
import { recordId } from '../../../src/registry/record-id.ts';
import { transitionRole } from '../../../src/registry/roles/transition-role.ts';
import { StaleStateError } from '../../../src/storage/change-feed.ts';
import type { Db } from '../../../src/storage/connect.ts';
import { apiResources } from '../../../src/storage/schema/api-resources.ts';
import { authorisationDomains } from '../../../src/storage/schema/authorisation-domains.ts';
import { authorities } from '../../../src/storage/schema/authorities.ts';
import { authorizationServers } from '../../../src/storage/schema/authorization-servers.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { organisations } from '../../../src/storage/schema/organisations.ts';
import { registryCounter } from '../../../src/storage/schema/registry-counter.ts';
import { entityRoleAssignments, roleAssignments } from '../../../src/storage/schema/role-assignments.ts';
import { roles } from '../../../src/storage/schema/roles.ts';
import { createTestDatabase } from '../../support/databases.ts';
import { ManualClock } from '../../support/federation.ts';
import { apiResource, authorizationServer } from '../../support/offers.ts';
import { NOW_DATE, openRegistry, type TestRegistry } from '../../support/registry.ts';
import { givenRole } from '../../support/roles.ts';

const ORGANISATIONS = 150;
/** Segments begin with them; see participant-segments.ts. */
const BEGINS_SEGMENT = /[02468ace]0$/;

let registry: TestRegistry;
let authority: Authority;
let allIds: string[];

/** An id with such an end, in the order of its number. */
const idEnding = (number: number, end: string) =>
  `${recordId(NOW_DATE.getTime() - 1_000_000 + number, 0).slice(0, -2)}${end}`;

beforeAll(async () => {
  registry = await openRegistry('embedded');
  authority = await registry.authority();
  allIds = Array.from({ length: ORGANISATIONS }, (_, number) => idEnding(number, number % 20 === 7 ? '40' : '01'));
  await registry.db.insert(organisations).values(
    allIds.map((id, number) => ({
      ...{ id, authorityId: authority.id, legalName: `Zweigstelle “${number}” Ünïted`, state: 'active' as const },
      ...{ stateChangedAt: NOW_DATE, createdAt: NOW_DATE, version: 1 },
    })),
  );
});
afterAll(() => registry[Symbol.asyncDispose]());

const clock = new ManualClock();
const failed = (error: unknown): never => {
  throw error;
};

function documentOf(db: Db, monotonicMs = () => 0): ParticipantsDocument {
  return new ParticipantsDocument({ db, clock, baseUrl: 'https://holdfast.example', onError: failed, monotonicMs });
}

const bytes = ({ all }: PublishedParticipants) => Buffer.concat(all.chunks);

/** As a node has it that just started. */
async function anew(db: Db = registry.db): Promise<PublishedParticipants> {
  await using document = documentOf(db);
  return await document.current(await registry.seq());
}

const namesIn = (published: PublishedParticipants) =>
  (JSON.parse(gunzipSync(bytes(published)).toString()) as { OrganisationName: string }[]).map(
    ({ OrganisationName }) => OrganisationName,
  );

it('[F10] is the same to the byte for who followed every change, for who just started, and on the other database', async () => {
  await using followed = documentOf(registry.db);
  const now = async () => await followed.current(await registry.seq());
  expect(namesIn(await now())).toHaveLength(ORGANISATIONS);
  const changes: (() => Promise<unknown>)[] = [
    // Two segments become one, and at the end two again.
    () => transitionOrganisation(registry.context(), allIds[27] ?? '', 'suspend', 'by a test'),
    () => transitionOrganisation(registry.context(), allIds[47] ?? '', 'revoke', 'by a test'),
    () => transitionOrganisation(registry.context(), allIds[0] ?? '', 'suspend', 'by a test'),
    () => updateOrganisation(registry.context(), allIds[100] ?? '', { legalName: 'Renamed' }, 1),
    () => registry.organisation(authority),
    async () => registry.organisation(await registry.authority()),
    () => apiResource(registry, authority),
    () => givenRole(registry, authority),
    () => authorizationServer(registry, authority, { deprecatedAt: NOW_DATE }),
    // Of all of them.
    () => updateAuthority(registry.context(), authority.id, { name: 'Renamed Federation' }, authority.version),
    async () => {
      const [role] = await registry.db.select().from(roles);
      await transitionRole(registry.context(), role?.id ?? '', 'retire', 'by a test');
    },
    () => transitionOrganisation(registry.context(), allIds[147] ?? '', 'withdraw', 'by a test'),
    async () => {
      await addContact(registry.context(), allIds[27] ?? '', { type: 'incident', email: 'ops@partner.example' });
      await transitionOrganisation(registry.context(), allIds[27] ?? '', 'reinstate', 'by a test');
    },
  ];
  let before = bytes(await now());
  for (const [index, change] of changes.entries()) {
    await change();
    const published = await now();
    expect(bytes(published).equals(before), `change ${index} shows`).toBe(false);
    const fresh = await anew();
    expect(bytes(published).equals(bytes(fresh)), `change ${index}`).toBe(true);
    expect([published.seq, published.all.digest]).toEqual([fresh.seq, fresh.all.digest]);
    before = bytes(published);
  }
  const names = namesIn(await now());
  expect(names).toContain('Renamed');
  expect(names.filter((name) => name.startsWith('Zweigstelle'))).toHaveLength(ORGANISATIONS - 4);
  await using other = await createTestDatabase('postgresql');
  await copyRecords(registry.db, other.db);
  expect(bytes(await anew(other.db)).equals(before)).toBe(true);
  expect(allIds.filter((id) => BEGINS_SEGMENT.test(id)).length).toBeGreaterThan(5);
});

it('keeps what is published until the next is made, and tells nobody of it for too long', async () => {
  let passedMs = 0;
  await using document = documentOf(registry.db, () => passedMs);
  await document.keepUp();
  const first = await document.current(await registry.seq());
  const { id } = await registry.organisation(authority);
  const seq = await registry.seq();
  document.follow([
    {
      ...{ seq, ordinal: 0, action: 'organisation.approve' },
      authorityId: authority.id,
      subjectKind: 'organisation',
      subjectId: id,
    },
  ]);
  expect(document.current(seq)).toBe(first);
  passedMs = MAX_LAG_SECONDS * 1000 + 1;
  expect(() => document.current(seq)).toThrow(StaleStateError);
  await document.keepUp();
  const next = await document.current(seq);
  expect(next.seq).toBe(seq);
  expect(gunzipSync(bytes(next)).toString()).toContain(id);
});

/** What the document goes by, row by row. */
async function copyRecords(from: Db, to: Db): Promise<void> {
  const tables: PgTable[] = [authorities, organisations, entities, authorizationServers, apiResources];
  tables.push(authorisationDomains, roles, roleAssignments, entityRoleAssignments);
  for (const table of tables) {
    const rows = await from.select().from(table);
    if (rows.length === 0) throw new Error(`there is nothing in ${getTableName(table)}`);
    await to.insert(table).values(rows as never[]);
  }
  const [counter] = await from.select().from(registryCounter);
  await to.update(registryCounter).set({ seq: counter?.seq ?? 0 });
}
