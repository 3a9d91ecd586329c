import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAuditCheckpoint } from '../../../src/federation/audit-checkpoint.ts';
import { verifySignature } from '../../../src/federation/signature.ts';
import {
  type AuditCheckpoint,
  listAuditCheckpoints,
  makeAuditCheckpoint,
} from '../../../src/registry/audit/audit-checkpoint.ts';
import { readCheckpointKeys } from '../../../src/registry/audit/checkpoint-keys.ts';
import { exportAudit } from '../../../src/registry/audit/export-audit.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { activateAuthorityKey } from '../../../src/registry/authorities/keys/activate-authority-key.ts';
import { announceAuthorityKey } from '../../../src/registry/authorities/keys/announce-authority-key.ts';
import { readAuditEnd } from '../../../src/storage/audit-chain.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { NOW } from '../../support/federation.ts';
import { actor, outcome } from '../../support/registry.ts';
import { startTestService, type TestService } from '../../support/service.ts';

describe.each(DATABASE_KINDS)('a checkpoint of the audit on %s', (kind) => {
  let service: TestService;
  let authority: Authority;
  beforeEach(async () => {
    service = await startTestService(kind);
    authority = await service.authority();
  });
  afterEach(() => service[Symbol.asyncDispose]());

  const list = async (by = actor(), filter = {}, page: { limit: number; cursor?: string } = { limit: 100 }) =>
    listAuditCheckpoints(service.db, by, filter, page);

  const make = (of = authority): Promise<AuditCheckpoint> =>
    makeAuditCheckpoint(service.context(), of.id, service.signAuditCheckpoint);

  it('is what the chain is at that moment, signed by the authority', async () => {
    const { jwt, ...checkpoint } = await make();
    const { seq, hash, rows } = await readAuditEnd(service.db);
    expect(checkpoint).toMatchObject({ authorityId: authority.id, seq, hash, rows });
    const signed = parseAuditCheckpoint(jwt, {});
    expect(signed.claims).toEqual({ iss: authority.entityIdentifier, iat: NOW, seq, hash, rows });
    await verifySignature(signed, await service.jwks(authority));
    expect(rows).toBe((await service.auditAfter()).length);
  });

  it('is the same until something happens, and no change of the registry itself', async () => {
    const seq = await service.seq();
    const first = await make();
    service.clock.advance(60);
    expect(await make()).toEqual(first);
    expect(await service.seq()).toBe(seq);
    await service.organisation(authority);
    expect((await make()).seq).toBe(seq + 2);
    expect((await list()).items).toHaveLength(2);
  });

  it('is verified with keys that have signed since, and not with one that was revoked', async () => {
    const first = await make();
    const keys = () => readCheckpointKeys(service.db, authority.entityIdentifier);
    const before = (await keys()).keys.map(({ kid }) => kid);
    const { kid } = await announceAuthorityKey(service.context(), authority.id, {}, service.generateKey);
    expect((await keys()).keys.map((key) => key.kid)).toEqual(before);
    await activateAuthorityKey(service.context(), authority.id, kid, { isForced: true });
    expect((await keys()).keys.map((key) => key.kid).toSorted()).toEqual([...before, kid].toSorted());
    await verifySignature(parseAuditCheckpoint(first.jwt, {}), await keys());
    expect((await readCheckpointKeys(service.db, 'https://unknown.example')).keys).toEqual([]);
  });

  it('is listed page after page, to whoever reaches its authority', async () => {
    const other = await service.authority();
    for (const each of [authority, other, authority]) {
      await make(each);
      await service.organisation(authority, 'pending');
    }
    const all = (await list()).items;
    expect(all).toHaveLength(3);
    const paged: AuditCheckpoint[] = [];
    for (let cursor: string | undefined, isMore = true; isMore; isMore = cursor !== undefined) {
      const page = await list(actor(), {}, cursor === undefined ? { limit: 2 } : { limit: 2, cursor });
      paged.push(...page.items);
      cursor = page.next;
    }
    expect(paged).toEqual(all);
    expect((await list(actor(), { authorityId: other.id })).items).toEqual([all[1]]);
    expect((await list(actor({ authorities: [other.id] }))).items).toEqual([all[1]]);
    expect(await outcome(list(actor(), {}, { limit: 2, cursor: '1.x' }))).toBe('validation_failed at /cursor');
  });

  describe('by itself', () => {
    it('is made when the last one is old enough and something happened since', async () => {
      await service.makeDueAuditCheckpoint();
      expect((await list()).items).toMatchObject([{ authorityId: authority.id, seq: await service.seq() }]);
      await service.organisation(authority);
      service.clock.advance(86_399);
      await service.makeDueAuditCheckpoint();
      expect((await list()).items).toHaveLength(1);
      service.clock.advance(1);
      await service.makeDueAuditCheckpoint();
      expect((await list()).items).toHaveLength(2);
      service.clock.advance(86_400);
      await service.makeDueAuditCheckpoint();
      expect((await list()).items).toHaveLength(2);
    });

    it('is made by who signs, whatever another authority signed lately', async () => {
      const other = await service.authority();
      await make(other);
      await service.makeDueAuditCheckpoint();
      expect((await list()).items.map(({ authorityId }) => authorityId).sort()).toEqual(
        [authority.id, other.id].sort(),
      );
    });

    it('is one, though several nodes make it at once', async () => {
      await Promise.all([1, 2, 3].map(() => service.makeDueAuditCheckpoint()));
      expect((await list()).items).toHaveLength(1);
    });
  });

  describe('and an export', () => {
    const exported = async (afterSeq?: number) => {
      const rows: unknown[] = [];
      for await (const batch of await exportAudit(service.db, actor(), afterSeq)) rows.push(...batch);
      return rows;
    };

    it('has every row with the hash before it, or those after a seq', async () => {
      await service.organisation(authority);
      const rows = await service.auditAfter();
      const { genesis } = await readAuditEnd(service.db);
      const expected = rows.map((row, index) => ({
        ...row,
        at: row.at.toISOString(),
        previousHash: rows[index - 1]?.hash ?? genesis,
      }));
      expect(await exported()).toEqual(expected);
      expect(await exported(1)).toEqual(expected.filter(({ seq }) => seq > 1));
      expect(await exported(1000)).toEqual([]);
    });

    it('ends with the change that was the last when it began', async () => {
      const seq = await service.seq();
      const batches = await exportAudit(service.db, actor());
      await service.organisation(authority);
      const rows: { seq: number }[] = [];
      for await (const batch of batches) rows.push(...batch);
      expect(rows.at(-1)?.seq).toBe(seq);
    });

    it('is for who reaches all authorities', async () => {
      const scoped = actor({ authorities: [authority.id] });
      expect(await outcome(exportAudit(service.db, scoped))).toBe('role_missing');
      expect(await outcome(exportAudit(service.db, actor({ roles: ['registrar'] })))).toBe('role_missing');
    });
  });
});
