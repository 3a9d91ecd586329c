import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExportDocument, federationDocument } from '../../../scripts/bench/samples/federation-document.ts';
import type { JsonValue } from '../../../src/federation/json.ts';
import { announceAuthorityKey } from '../../../src/registry/authorities/keys/announce-authority-key.ts';
import { readAuthority } from '../../../src/registry/authorities/read-authority.ts';
import type { ChangeContext } from '../../../src/registry/change.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { RegistryError } from '../../../src/registry/registry-error.ts';
import { readDocument } from '../../../src/registry/transfer/import-document.ts';
import { importRegistry } from '../../../src/registry/transfer/import-registry.ts';
import { KIND_NAMES } from '../../../src/registry/transfer/record-kind.ts';
import {
  approveImport,
  readImport,
  rejectImport,
  requestRestore,
} from '../../../src/registry/transfer/stored-imports.ts';
import { authorityRecords, organisationRecords } from '../../support/api-places.ts';
import { type ApiService, startApi } from '../../support/api-service.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { actor, generateTestKey, NOW_DATE, outcome } from '../../support/registry.ts';
import { startTestService, type TestService } from '../../support/service.ts';
import { comparable, exportedDocument } from '../../support/transfer-documents.ts';

const [FIRST, SECOND] = [actor({ id: 'first-admin' }), actor({ id: 'second-admin' })];

async function restore(service: TestService, document: ExportDocument): Promise<void> {
  const read = await readDocument(document as unknown as JsonValue);
  const json = Buffer.from(JSON.stringify(document));
  const { stored } = await requestRestore(service.context(FIRST), read, json);
  await approveImport(service.context(SECOND), stored.id, 'compared with what the old registry said');
}

async function plainImport(context: ChangeContext, document: ExportDocument) {
  return await importRegistry(context, await readDocument(document as unknown as JsonValue), { digest: 'x' });
}

/** Of 1,000 entities, with a record of every kind made by the verbs. */
async function makeSource(api: ApiService): Promise<string> {
  const { service } = api;
  const authority = await service.authority();
  const ofAuthority = await authorityRecords(api, authority);
  const records = await organisationRecords(api, authority, ofAuthority);
  const [record] =
    (await exportedDocument(service.db, FIRST)).records.authorities?.filter(({ id }) => id === authority.id) ?? [];
  if (record === undefined) throw new Error('the authority is not exported');
  const bulk = await federationDocument(1000, record);
  await restore(service, bulk);
  const idOf = (index: number) => String(bulk.records.entities?.[index]?.['id']);
  await transitionEntity(service.context(), idOf(3), 'suspend', { reason: 'incident 4711', reasonCode: 'other' });
  await transitionEntity(service.context(), idOf(4), 'revoke', { reason: 'fraud', reasonCode: 'other' });
  const organisation = String(bulk.records.organisations?.[5]?.['id']);
  await transitionOrganisation(service.context(), organisation, 'suspend', { reason: 'unpaid', reasonCode: 'other' });
  await service.entity(await service.organisation(authority), {}, 'revoked');
  expect(records['entityId']).toBeDefined();
  return authority.id;
}

describe('a federation of 1,000 entities', () => {
  let source: ApiService;
  let authorityId = '';
  let exported: ExportDocument & { seq: number };
  beforeAll(async () => {
    source = await startApi();
    authorityId = await makeSource(source);
    exported = await exportedDocument(source.service.db, FIRST);
  }, 120_000);
  afterAll(() => source[Symbol.asyncDispose]());

  it('is exported with every kind of records, and nothing that is secret', () => {
    const empty = Object.entries(exported.records).filter(([, records]) => records.length === 0);
    expect(empty).toEqual([]);
    expect(Object.keys(exported.records)).toHaveLength(19);
    expect(exported.records.entities).toHaveLength(1002);
    expect(JSON.stringify(exported)).not.toMatch(/sealed|tokenDigest|tokenHash|"d":|hfep_|PRIVATE KEY/);
  });

  describe.each(DATABASE_KINDS)('moved to an empty %s database', (kind) => {
    let target: TestService;
    beforeAll(async () => {
      target = await startTestService(kind);
    });
    afterAll(() => target[Symbol.asyncDispose]());

    it('[F17] arrives pending without a second admin; the same document once more changes nothing', async () => {
      const first = await plainImport(target.context(FIRST), exported);
      expect(first.seq).toBe(1);
      const states = new Set(
        (await exportedDocument(target.db, FIRST)).records.entities?.map(({ state }) => (state as { is: string }).is),
      );
      expect(states).toEqual(new Set(['pending']));
      const again = await plainImport(target.context(FIRST), exported);
      expect(again.seq).toBeNull();
      expect(new Set(again.differences.map(({ what }) => what))).toEqual(new Set(['differs', 'held_back']));
      expect(await target.seq()).toBe(1);
    }, 120_000);

    it('is restored once another admin approved it, and exports agree to the byte', async () => {
      await restore(target, exported);
      const after = await exportedDocument(target.db, FIRST);
      for (const kind of KIND_NAMES) {
        const [here, there] = [comparable(after)[kind] ?? [], comparable(exported)[kind] ?? []];
        const other = here.findIndex((record, index) => JSON.stringify(record) !== JSON.stringify(there[index]));
        expect(here[other], kind).toEqual(there[other]);
        expect(here, kind).toHaveLength(there.length);
      }
      expect((await target.auditAfter(1)).some(({ action }) => action === 'entity.import')).toBe(true);
    }, 120_000);

    it('signs nothing until a key is rolled in, and statements verify with that key then', async () => {
      const authority = await readAuthority(target.db, FIRST, authorityId);
      const sub = String(exported.records.entities?.find(({ name }) => name === 'Application 7')?.['entityIdentifier']);
      expect((await target.ask(authority, 'fetch', { sub })).status).toBe(503);
      await target.keyRolls.run();
      expect((await target.ask(authority, 'fetch', { sub })).status).toBe(503);
      await announceAuthorityKey(target.context(FIRST), authority.id, { reason: 'moved' }, generateTestKey);
      const answer = await target.ask(authority, 'fetch', { sub });
      expect(answer.status).toBe(200);
      const { payload } = await jwtVerify(await answer.text(), createLocalJWKSet(await target.jwks(authority)), {
        currentDate: NOW_DATE,
      });
      expect(payload).toMatchObject({ iss: authority.entityIdentifier, sub });
      const historical = await jwtVerify(
        await (await target.ask(authority, 'historicalKeys')).text(),
        createLocalJWKSet(await target.jwks(authority)),
        { currentDate: NOW_DATE },
      );
      const [before] = (await source.service.jwks(authority)).keys;
      expect(historical.payload['keys']).toEqual([expect.objectContaining({ kid: before?.kid })]);
    });
  });
});

describe('who restores', () => {
  it('is two people', async () => {
    await using service = await startTestService('embedded');
    const document = { format: 'holdfast-export-2', records: {} };
    const read = await readDocument(document);
    const { stored } = await requestRestore(service.context(FIRST), read, Buffer.from(JSON.stringify(document)));
    const refused = await approveImport(service.context(FIRST), stored.id, 'me again').catch((error) => error);
    expect(refused).toBeInstanceOf(RegistryError);
    expect(refused.code).toBe('four_eyes');
    expect((await approveImport(service.context(SECOND), stored.id, 'fine')).state).toBe('applied');
  });

  it('approves what it would have changed when it was handed in, and nothing else', async () => {
    await using service = await startTestService('embedded');
    const organisation = await service.organisation(await service.authority());
    const { seq: _, ...document } = await exportedDocument(service.db, FIRST);
    const read = await readDocument(document as unknown as JsonValue);
    const { stored } = await requestRestore(service.context(FIRST), read, Buffer.from(JSON.stringify(document)));
    await transitionOrganisation(service.context(), organisation.id, 'suspend', 'incident');
    expect(await outcome(approveImport(service.context(SECOND), stored.id, 'as it was'))).toBe('version_mismatch');
  });

  it('decides within seven days, once', async () => {
    await using service = await startTestService('embedded');
    const document = { format: 'holdfast-export-2', records: {} };
    const hand = async () =>
      (await requestRestore(service.context(FIRST), await readDocument(document), Buffer.from('{}'))).stored.id;
    const [rejected, late] = [await hand(), await hand()];
    await rejectImport(service.context(SECOND), rejected, 'nobody asked for it');
    expect(await outcome(approveImport(service.context(SECOND), rejected, 'after all'))).toBe('illegal_transition');
    const now = new Date(NOW_DATE.getTime() + 7 * 86_400_000);
    expect((await readImport(service.db, SECOND, late, now)).state).toBe('lapsed');
    expect(await outcome(approveImport(service.context(SECOND, { now }), late, 'too late'))).toBe('illegal_transition');
  });
});
