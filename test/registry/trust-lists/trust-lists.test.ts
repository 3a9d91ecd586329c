import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgePaths } from '../../../src/jobs/judge-paths.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { addCredential } from '../../../src/registry/credentials/add-credential.ts';
import { credentialStanding } from '../../../src/registry/credentials/credential-standing.ts';
import { listCredentials, readCredential } from '../../../src/registry/credentials/read-credential.ts';
import { replaceCredential } from '../../../src/registry/credentials/replace-credential.ts';
import { addTrustListEntry } from '../../../src/registry/trust-lists/add-trust-list-entry.ts';
import { removeTrustListEntry } from '../../../src/registry/trust-lists/remove-trust-list-entry.ts';
import { readTrustListCoverage } from '../../../src/registry/trust-lists/trust-list-coverage.ts';
import { listTrustListEntries, readTrustListEntry } from '../../../src/registry/trust-lists/trust-list-entry.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import type { TrustListPurpose } from '../../../src/storage/schema/trust-list-entries.ts';
import { below, type Authority as Issuer, leafOf, root } from '../../support/certificate-paths.ts';
import { certificate, distinguishedName, ecKey, pem } from '../../support/certificates.ts';
import { publicJwk } from '../../support/credentials.ts';
import {
  actor,
  freshIdentifier,
  NOW_DATE,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../../support/registry.ts';
import { listed } from '../../support/trust-lists.ts';

let registry: TestRegistry;
beforeAll(async () => {
  registry = await openRegistry('embedded');
});
afterAll(() => registry[Symbol.asyncDispose]());

const later = (seconds: number): Date => new Date(NOW_DATE.getTime() + seconds * 1000);
const ROOT = root();
const CA = below(ROOT);

const chainBelow = (issuer: Issuer = CA, ...above: Issuer[]): { certificate: string } => ({
  certificate: pem(leafOf(issuer, { key: ecKey() }), issuer.der, ...above.map(({ der }) => der)),
});

async function add(
  authority: Authority,
  material: { certificate: string } = chainBelow(),
  usage: TrustListPurpose = 'transport',
) {
  const { id } = await registry.entity(await registry.organisation(authority));
  return await addCredential(registry.context(), id, { usage, material });
}

const list = (authority: Authority, ...listedPurposes: TrustListPurpose[]) =>
  updateAuthority(registry.context(), authority.id, { listedPurposes });

const refusal = async (id: string, now = NOW_DATE) =>
  credentialStanding(await readCredential(registry.db, actor(), id), now).refusal ?? 'live';

const judge = (now: Date) => judgePaths({ changeContext: () => registry.context(actor(), { now }) });

const coverage = async ({ id }: Authority) => {
  const found = await readTrustListCoverage(registry.db, actor(), { authorityId: id }, NOW_DATE);
  return found.map(({ purpose, isListed, live, withoutPath }) => `${purpose} ${isListed} ${live} ${withoutPath}`);
};

describe('a trust list', () => {
  it('has certification authorities, each once for a purpose, until they are removed', async () => {
    const authority = await registry.authority();
    const entry = await listed(registry, authority, ROOT.der);
    expect(entry).toMatchObject({
      purpose: 'transport',
      name: 'O=Root',
      subject: 'O=Root',
      version: 1,
      removedAt: null,
    });
    expect(await readTrustListEntry(registry.db, actor(), entry.id)).toEqual(entry);
    expect(await outcome(listed(registry, authority, ROOT.der))).toBe('trust_list_entry_exists');
    const forSigning = await listed(registry, authority, ROOT.der, 'signing');
    const all = async () =>
      (await listTrustListEntries(registry.db, actor(), { authorityId: authority.id }, { limit: 10 })).items;
    expect(await all()).toEqual([entry, forSigning]);
    await removeTrustListEntry(registry.context(), entry.id);
    expect(await all()).toEqual([forSigning]);
    expect(await outcome(removeTrustListEntry(registry.context(), entry.id))).toBe('not_found');
    expect(await outcome(listed(registry, authority, ROOT.der))).toBe('done');
  });

  it.each<[string, () => string, string]>([
    ['nonsense', () => 'x', 'certificate_malformed'],
    ['a chain', () => pem(CA.der, ROOT.der), 'trailing_data'],
    ['a leaf', () => pem(leafOf(CA)), 'usage_unsuitable'],
    ['what expired', () => pem(root({ notAfter: '260601000000Z' }).der), 'certificate_expired'],
    ['SHA-1', () => pem(root({ hash: 'sha1', signatureAlgorithm: SHA1 }).der), 'algorithm_unsupported'],
  ])('takes no %s', async (_, certificate, reason) => {
    const { id } = await registry.authority();
    const refused = addTrustListEntry(registry.context(), id, { purpose: 'transport', certificate: certificate() });
    const { code, details } = await refusedBy(refused);
    expect([code, details['reason'], details.errors?.[0]?.pointer]).toEqual([
      'validation_failed',
      reason,
      '/certificate',
    ]);
  });
});

/** ecdsa-with-SHA1 */
const SHA1 = Buffer.from('300906072a8648ce3d0401', 'hex');

describe('[F21] a certificate is registered with its path', () => {
  it('to the list, which need not be asked for, and the path is kept with its earliest end', async () => {
    const authority = await registry.authority();
    const short = below(ROOT, { notAfter: '300101000000Z' });
    const without = await add(authority);
    expect([without.path, without.pathJudgedAt]).toEqual([null, NOW_DATE]);
    const { x5tS256: anchor } = await listed(registry, authority, ROOT.der);
    const made = await add(authority, chainBelow(short));
    expect(made.path).toEqual({ anchor, notAfter: Date.UTC(2030, 0, 1) / 1000 });
    // What is for other purposes is no help.
    expect((await add(authority, chainBelow(), 'signing')).path).toBeNull();
    expect(await refusal(without.id)).toBe('live');
  });

  it('or refused where the authority believes nothing else, with the reason and the place of the path', async () => {
    const authority = await registry.authority();
    await listed(registry, authority, ROOT.der);
    await list(authority, 'transport');
    const stranger = root({ subject: distinguishedName({ O: 'Else' }) });
    const tooLong = below(below(ROOT, { maxPathLength: 0 }), { subject: distinguishedName({ O: 'Lowest' }) });
    const { code, details } = await refusedBy(add(authority, chainBelow(stranger)));
    expect([code, details]).toEqual([
      'chain_untrusted',
      {
        reason: 'chain_untrusted',
        rule: 'RFC 5280 §6.1.1 (d)',
        certificate: expect.objectContaining({ from: 'intermediates', index: 0, subject: 'O=Else' }),
      },
    ]);
    const forServers = leafOf(CA, { key: ecKey(), extensions: [SERVER_ONLY] });
    const unsuitable = await refusedBy(add(authority, { certificate: pem(forServers, CA.der) }));
    expect(unsuitable.details).toMatchObject({ reason: 'usage_unsuitable', certificate: { from: 'leaf' } });
    expect(await outcome(add(authority, chainBelow(tooLong)))).toBe('chain_untrusted');
    // Others are none of the list's business.
    const made = await add(authority);
    expect(await outcome(add(authority, chainBelow(stranger), 'signing'))).toBe('done');
    const replacement = { material: chainBelow(stranger), until: null };
    expect(await outcome(replaceCredential(registry.context(), made.id, replacement))).toBe('chain_untrusted');
    const good = await replaceCredential(registry.context(), made.id, { material: chainBelow(), until: null });
    expect(good.path).not.toBeNull();
  });

  it('and bare keys have none', async () => {
    const authority = await registry.authority();
    await list(authority, 'signing');
    const { id } = await registry.entity(await registry.organisation(authority));
    const refused = addCredential(registry.context(), id, { usage: 'signing', material: publicJwk() });
    const { code, details } = await refusedBy(refused);
    expect([code, details]).toEqual(['chain_untrusted', { reason: 'certificate_missing' }]);
    expect(await outcome(addCredential(registry.context(), id, { usage: 'encryption', material: publicJwk() }))).toBe(
      'done',
    );
  });

  it('of the organisation and entity on record, and of no other', async () => {
    const authority = await registry.authority();
    const [one, two] = [await registry.organisation(authority), await registry.organisation(authority)];
    const entity = await registry.entity(one, { entityIdentifier: freshIdentifier('one') });
    const other = await registry.entity(two, { entityIdentifier: freshIdentifier('two') });
    const named = (identifier: string) => {
      const subject = distinguishedName({ '0.9.2342.19200300.100.1.1': identifier });
      return { certificate: pem(certificate({ subject })) };
    };
    const adding = (id: string) =>
      addCredential(registry.context(), entity.id, { usage: 'transport', material: named(id) });
    expect(await outcome(adding(other.id))).toBe('subject_mismatch');
    expect(await outcome(adding(entity.id))).toBe('done');
  });

  it('and one that was revoked because it is not to be believed does not return', async () => {
    const authority = await registry.authority();
    const material = chainBelow();
    const made = await add(authority, material);
    const { revokeCredential } = await import('../../../src/registry/credentials/revoke-credential.ts');
    await revokeCredential(registry.context(), made.id, { reasonCode: 'ca_compromise', reason: 'x' });
    expect(await outcome(add(authority, material))).toBe('key_barred');
  });
});

describe('[F21] what counts follows the list', () => {
  it('as records and lists say, and it is told beforehand how many have no path', async () => {
    const authority = await registry.authority();
    const [inside, outside] = [await add(authority), await add(authority, chainBelow(root()))];
    const entry = await listed(registry, authority, ROOT.der);
    expect(await coverage(authority)).toEqual(['transport false 2 2', 'signing false 0 0']);
    await judge(later(30));
    expect(await coverage(authority)).toEqual(['transport false 2 1', 'signing false 0 0']);
    await list(authority, 'transport');
    expect(await coverage(authority)).toEqual(['transport true 2 1', 'signing false 0 0']);
    expect([await refusal(inside.id), await refusal(outside.id)]).toEqual(['live', 'chain_untrusted']);
    const filter = { authorityId: authority.id, isLive: true };
    const live = await listCredentials(registry.db, actor(), filter, { limit: 10 }, NOW_DATE);
    expect(live.items.map(({ id }) => id)).toEqual([inside.id]);
    // Without any round of the job.
    await removeTrustListEntry(registry.context(), entry.id);
    expect(await refusal(inside.id)).toBe('chain_untrusted');
    await list(authority);
    expect(await refusal(inside.id)).toBe('live');
  });

  it('by another entry where there is one, each judged once and in the audit', async () => {
    const authority = await registry.authority();
    const entry = await listed(registry, authority, ROOT.der);
    const made = await add(authority);
    const { x5tS256: anchor } = await listed(registry, authority, CA.der);
    await removeTrustListEntry(registry.context(), entry.id);
    const seq = await registry.seq();
    await judge(later(1));
    const changed = await readCredential(registry.db, actor(), made.id);
    expect([changed.path?.anchor, changed.version]).toEqual([anchor, 2]);
    const rows = (await registry.auditAfter(seq)).filter(({ subjectId }) => subjectId === made.id);
    expect(rows.map(({ action, before, after }) => [action, before?.['path'], after?.['path']])).toEqual([
      ['credential.path', made.path, changed.path],
    ]);
    // The clocks of nodes are apart: for a minute it is looked at again, and nothing is written.
    await judge(later(30));
    await judge(later(120));
    const [row] = await registry.db.select().from(credentials).where(eq(credentials.id, made.id));
    expect([row?.version, row?.pathJudgedAt]).toEqual([2, later(120)]);
    await judge(later(600));
    const [after] = await registry.db.select().from(credentials).where(eq(credentials.id, made.id));
    expect(after?.pathJudgedAt).toEqual(later(120));
  });

  it('and a path that a new entry makes longer', async () => {
    const authority = await registry.authority();
    const key = ecKey();
    const old = root({ key, notAfter: '270601000000Z' });
    await listed(registry, authority, old.der);
    const made = await add(authority, chainBelow(below(old)));
    expect(made.path?.notAfter).toBe(Date.UTC(2027, 5, 1) / 1000);
    await listed(registry, authority, root({ key }).der);
    await judge(later(1));
    expect((await readCredential(registry.db, actor(), made.id)).path?.notAfter).toBe(Date.UTC(2036, 0, 1) / 1000);
  });
});

/** Extended key usage of TLS servers alone. */
const SERVER_ONLY = { type: '2.5.29.37', value: Buffer.from('300a06082b06010505070301', 'hex') };
