import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuditRow, listAudit } from '../../src/registry/audit/list-audit.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { createToken } from '../../src/registry/tokens/create-token.ts';
import { apiTokens } from '../../src/storage/schema/api-tokens.ts';
import { authorityKeys } from '../../src/storage/schema/authority-keys.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { actor, NOW_DATE, openRegistry, outcome, REASON, type TestRegistry } from '../support/registry.ts';
import { VERBS, type Verb } from '../support/registry-verbs.ts';

const ADA = actor({ id: 'ada' });

describe.each(DATABASE_KINDS)('the audit on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  /** What must never be in the audit, noted while it is there: the private half of a key is destroyed before the key. */
  const secrets = new Map<string, Uint8Array>();
  const noteSecrets = async (): Promise<void> => {
    const tokens = await registry.db.select().from(apiTokens);
    for (const { id, tokenHash } of tokens) secrets.set(`token ${id}`, tokenHash);
    const keys = await registry.db.select().from(authorityKeys);
    for (const { kid, sealedPrivateKey } of keys) {
      if (sealedPrivateKey !== null && sealedPrivateKey.length > 0) secrets.set(`key ${kid}`, sealedPrivateKey);
    }
  };

  const left = new Map<Verb, Promise<AuditRow[]>>();

  /** The rows that a verb leaves, which is done once. */
  function auditOf(verb: Verb): Promise<AuditRow[]> {
    const rows = left.get(verb) ?? rowsLeft(verb);
    left.set(verb, rows);
    return rows;
  }

  async function rowsLeft(verb: Verb): Promise<AuditRow[]> {
    const attempt = await verb.prepare(registry, authority);
    const seq = await registry.seq();
    await noteSecrets();
    await attempt(registry.context(ADA, { requestId: 'request-7' }));
    await noteSecrets();
    return await registry.auditAfter(seq);
  }

  it.each(VERBS)('[F52] $name leaves $audit', async (verb) => {
    const rows = await auditOf(verb);
    expect(rows.map((row) => row.action)).toEqual(verb.audit);
    for (const [ordinal, row] of rows.entries()) {
      expect(row).toMatchObject({
        seq: rows[0]?.seq,
        ordinal,
        at: NOW_DATE,
        actor: { kind: 'token', id: 'ada', name: 'name of ada' },
        requestId: 'request-7',
        subjectKind: row.action.split('.')[0],
      });
      if (verb.scope === 'authority') expect(row.authorityId).toBe(authority.id);
    }
  });

  it.each(VERBS.filter(({ name }) => name.includes('(')))(
    '[F52] $name keeps its reason and both states',
    async (verb) => {
      const [row] = await auditOf(verb);
      expect(row?.reason).toBe(REASON);
      expect(row?.before?.['state']).not.toBe(row?.after?.['state']);
      // A role has no reason of its own: it says nothing of whoever holds it.
      if (!verb.name.startsWith('transitionRole')) expect(row?.after?.['stateReason']).toBe(REASON);
    },
  );

  it.each([
    ['updateAuthority', {}, { name: expect.stringContaining('renamed') }],
    ['updateOrganisation', { legalName: 'Partner Ltd' }, { legalName: 'Renamed' }],
    ['updateContact', { name: null }, { name: 'Renamed' }],
    ['updateEntity', { statementLifetimeSeconds: null }, { statementLifetimeSeconds: 1234 }],
    ['recordChecks', { evidence: { digest: 'digest-of-the-test' } }, { evidence: { digest: 'another' } }],
  ])('%s keeps what was before and what is after', async (name, before, after) => {
    const [row] = await auditOf(verbNamed(name));
    expect(row).toMatchObject({ before, after });
    const changed = Object.keys(row?.after ?? {}).filter(
      (field) => JSON.stringify(row?.before?.[field]) !== JSON.stringify(row?.after?.[field]),
    );
    expect(changed).toEqual(Object.keys(after));
  });

  it.each(['replaceTrustAnchorKeys', 'addEntity', 'createAuthority'])('%s keeps the public keys', async (name) => {
    const rows = await auditOf(verbNamed(name));
    expect(JSON.stringify(rows.map((row) => row.after))).toContain('"kty":"EC"');
  });

  // Does every verb that no test before did, so it may take as long as they.
  it('holds no secret, no sealed key and no hash of a token, whatever was done', { timeout: 60_000 }, async () => {
    const { secret } = await createToken(registry.context(), {
      name: 'secret bearer',
      roles: ['admin'],
      authorityIds: null,
      lifetimeSeconds: 60,
    });
    for (const verb of VERBS) await auditOf(verb);
    const rows = JSON.stringify(await registry.auditAfter());
    const noted = [...secrets.keys()];
    expect(noted.filter((name) => name.startsWith('token ')).length).toBeGreaterThan(1);
    const keys = await registry.db.select().from(authorityKeys);
    expect(keys.length).toBeGreaterThan(1);
    expect(noted).toEqual(expect.arrayContaining(keys.map(({ kid }) => `key ${kid}`)));
    for (const bytes of secrets.values()) {
      expect(bytes.length).toBeGreaterThan(16);
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        expect(rows).not.toContain(Buffer.from(bytes).toString(encoding));
      }
      expect(rows).not.toContain(Array.from(bytes).join(','));
    }
    expect(rows).not.toContain(secret.slice('holdfast_'.length));
    expect(rows).not.toMatch(/"(d|p|q|dp|dq|qi|k)":"/);
  });

  describe('is read', () => {
    let rows: AuditRow[];
    let other: Authority;
    beforeAll(async () => {
      other = await registry.authority();
      await registry.entity(await registry.organisation(other));
      rows = await registry.auditAfter();
    });

    const read = async (by = actor(), filter: Parameters<typeof listAudit>[2] = {}, limit = 500, cursor?: string) =>
      listAudit(registry.db, by, filter, { limit, cursor });

    it('in the order of seq and ordinal, page after page, each row once', async () => {
      const pages: AuditRow[][] = [];
      let cursor: string | undefined;
      do {
        const page = await read(actor(), {}, 25, cursor);
        pages.push(page.items);
        cursor = page.next;
      } while (cursor !== undefined);
      expect(pages.flat()).toEqual(rows);
      expect(pages.slice(0, -1).every((page) => page.length === 25)).toBe(true);
    });

    it('from where it was left, although more was written meanwhile', async () => {
      const first = await read(actor(), {}, rows.length);
      expect(first.next).toBeUndefined();
      const until = await read(actor(), {}, rows.length - 1);
      await registry.organisation(other, 'pending');
      const rest = await read(actor(), {}, 500, until.next);
      expect(rest.items[0]).toEqual(rows.at(-1));
      expect(rest.items.slice(1).map((row) => row.action)).toEqual(['organisation.add', 'contact.add']);
    });

    it('as far as the reader reaches: rows of other authorities and of the deployment stay hidden', async () => {
      const { items } = await read(actor({ authorities: [other.id] }));
      expect(items.length).toBeGreaterThan(3);
      expect(new Set(items.map((row) => row.authorityId))).toEqual(new Set([other.id]));
      expect((await read(actor({ authorities: [] }))).items).toEqual([]);
    });

    it('by authority, kind and subject', async () => {
      const entity = rows.findLast((row) => row.action === 'entity.approve');
      const { items } = await read(actor(), {
        authorityId: other.id,
        subjectKind: 'entity',
        subjectId: entity?.subjectId,
      });
      expect(items.map((row) => row.action)).toEqual(['entity.add', 'entity.approve']);
    });

    it.each(['', '1', '1.', '1.0.0', 'x.y', '-1.0', '99999999999999999.0'])(
      'but not from a made-up cursor %j',
      async (cursor) => {
        expect(await outcome(read(actor(), {}, 10, cursor))).toBe('validation_failed at /cursor');
      },
    );
  });
});

function verbNamed(name: string): Verb {
  const verb = VERBS.find((candidate) => candidate.name === name);
  if (verb === undefined) throw new Error(`no verb ${name}`);
  return verb;
}
