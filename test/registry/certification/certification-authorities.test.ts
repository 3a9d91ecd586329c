import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCertificateRequest } from '../../../src/pki/request/parse-certificate-request.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { activateCertificationAuthority } from '../../../src/registry/certification/activate-certification-authority.ts';
import type { CertificationAuthority } from '../../../src/registry/certification/certification-authority.ts';
import { createCertificationAuthority } from '../../../src/registry/certification/create-certification-authority.ts';
import {
  listCertificationAuthorities,
  readActiveCertificationAuthority,
  readCertificationAuthority,
} from '../../../src/registry/certification/read-certification-authority.ts';
import { retireCertificationAuthority } from '../../../src/registry/certification/retire-certification-authority.ts';
import {
  type CertificationChanges,
  updateCertificationAuthority,
} from '../../../src/registry/certification/update-certification-authority.ts';
import { certificationAuthorities } from '../../../src/storage/schema/certification-authorities.ts';
import { basicConstraints, below, CERTIFICATE_SIGNING, root, subjectKeyId } from '../../support/certificate-paths.ts';
import {
  armoured,
  der,
  distinguishedName,
  ecKey,
  extendedKeyUsage,
  keyUsage,
  oid,
  pem,
  sequence,
} from '../../support/certificates.ts';
import { certificationAuthority, testRoot } from '../../support/certification.ts';
import {
  CERTIFICATION_DEFAULTS,
  certified,
  chainFor,
  issuerExtensions,
  pendingAuthority,
} from '../../support/certification-authorities.ts';
import {
  actor,
  NOW_DATE,
  openRegistry,
  outcome,
  REASON,
  refusedBy,
  type TestRegistry,
} from '../../support/registry.ts';
import { listed } from '../../support/trust-lists.ts';

let registry: TestRegistry;
let authority: Authority;
beforeAll(async () => {
  registry = await openRegistry('embedded');
  authority = await registry.authority();
});
afterAll(() => registry[Symbol.asyncDispose]());

const ROOT = testRoot();

const activate = (id: string, chain: string, version?: number) =>
  activateCertificationAuthority(registry.context(), id, chain, version);

const read = (id: string): Promise<CertificationAuthority> => readCertificationAuthority(registry.db, actor(), id);

describe('a certification authority', () => {
  it('[F20] begins with a key that never leaves, and with the request for its certificate', async () => {
    const pending = await pendingAuthority(registry, authority, { name: 'Issuing CA', validityDays: { client: 90 } });
    expect(pending).toMatchObject({
      ...{ authorityId: authority.id, name: 'Issuing CA', state: 'pending', alg: 'ES256', custody: 'sealed' },
      ...{ publicUrl: 'https://fed.example', validityDays: { client: 90, server: 397, signing: 397 }, overlapDays: 30 },
      ...{ x5c: null, x5tS256: null, notAfter: null, listedFor: [], version: 1 },
    });
    expect(Object.keys(pending)).not.toEqual(expect.arrayContaining(['sealedPrivateKey']));
    expect(Object.keys(pending)).not.toEqual(expect.arrayContaining(['tokenObject']));
    const request = parseCertificateRequest(pending.request);
    expect(request.jwk).toMatchObject({ kty: 'EC', crv: 'P-256', x: pending.publicJwk['x'] });
    expect(request.subject.relativeNames.flat().map(({ text }) => text)).toEqual([authority.name, 'Issuing CA']);
  });

  it.each(['ES256', 'ES384', 'RS256'] as const)('has a key of the algorithm that is asked for: %s', async (alg) => {
    const pending = await pendingAuthority(registry, authority, { alg });
    expect([pending.alg, parseCertificateRequest(pending.request).jwk.kty]).toEqual([
      alg,
      alg === 'RS256' ? 'RSA' : 'EC',
    ]);
    const active = await activate(pending.id, chainFor(pending));
    expect(active.state).toBe('active');
  });

  it('issues once it has its certificate', async () => {
    const one = await registry.authority();
    const none = readActiveCertificationAuthority(registry.db, one.id);
    await expect(none).rejects.toThrow(
      'has no certification authority that is active; make one with `holdfast ca init`',
    );
    const pending = await pendingAuthority(registry, one);
    const waiting = readActiveCertificationAuthority(registry.db, one.id, pending.id);
    await expect(waiting).rejects.toThrow('waits for its certificate; bring it with `holdfast ca import`');
    const own = certified(pending, ROOT, { notAfter: '320101000000Z' });
    const active = await activate(pending.id, pem(own, ROOT.der), 1);
    expect(active).toMatchObject({
      ...{ state: 'active', version: 2, activatedAt: NOW_DATE, notAfter: new Date('2032-01-01T00:00:00Z') },
      x5c: [own.toString('base64'), ROOT.der.toString('base64')],
    });
    const issuing = await readActiveCertificationAuthority(registry.db, one.id);
    expect([issuing.id, issuing.x5c]).toEqual([active.id, active.x5c]);
    expect(issuing.sealedPrivateKey?.length).toBeGreaterThan(32);
  });

  it('lasts no longer than what is above it', async () => {
    const pending = await pendingAuthority(registry, authority);
    const short = root({ notAfter: '290101000000Z', subject: distinguishedName({ O: 'Short' }) });
    const active = await activate(pending.id, pem(certified(pending, short), short.der));
    expect(active.notAfter).toEqual(new Date('2029-01-01T00:00:00Z'));
  });

  it('is named where an authority has several, and is of that authority', async () => {
    const [one, other] = [await registry.authority(), await registry.authority()];
    const first = await certificationAuthority(registry, one);
    const second = await certificationAuthority(registry, one);
    expect(await outcome(readActiveCertificationAuthority(registry.db, one.id))).toBe(
      'certification_authority_not_active',
    );
    expect((await readActiveCertificationAuthority(registry.db, one.id, second.id)).id).toBe(second.id);
    expect(await outcome(readActiveCertificationAuthority(registry.db, other.id, first.id))).toBe('not_found');
    expect(await outcome(readActiveCertificationAuthority(registry.db, other.id, 'x'))).toBe('not_found');
    const list = await listCertificationAuthorities(registry.db, actor(), { authorityId: one.id }, { limit: 10 });
    expect(list.items.map(({ id }) => id)).toEqual([first.id, second.id]);
    const pending = { authorityId: one.id, state: 'pending' } as const;
    expect((await listCertificationAuthorities(registry.db, actor(), pending, { limit: 10 })).items).toEqual([]);
  });

  it('has its name once in an authority, whatever the capitals, and is made once for an idempotency key', async () => {
    const one = await registry.authority();
    const create = (name: string, key?: string) =>
      createCertificationAuthority(
        registry.context(),
        one.id,
        { name },
        CERTIFICATION_DEFAULTS,
        key === undefined ? undefined : { key, requestHash: name },
      );
    const made = await create('Issuing CA', 'k-1');
    expect((await create('Issuing CA', 'k-1')).id).toBe(made.id);
    expect(await outcome(create('issuing ca'))).toBe('certification_authority_exists');
    expect(await outcome(pendingAuthority(registry, authority, { name: 'Elsewhere' }))).toBe('done');
    expect(await outcome(create('Elsewhere'))).toBe('done');
  });

  it('tells for what its authority believes it: by its own certificate, or by one above it', async () => {
    const one = await registry.authority();
    const { id, x5c } = await certificationAuthority(registry, one, { root: ROOT });
    expect((await read(id)).listedFor).toEqual([]);
    await listed(registry, one, ROOT.der, 'transport');
    expect((await read(id)).listedFor).toEqual(['transport']);
    await listed(registry, one, Buffer.from(x5c?.[0] ?? '', 'base64'), 'signing');
    expect((await read(id)).listedFor).toEqual(['signing', 'transport']);
  });

  it('gets another certificate of its key and name, and none of another name', async () => {
    const pending = await pendingAuthority(registry, authority);
    const first = await activate(pending.id, pem(certified(pending, ROOT, { notAfter: '280101000000Z' }), ROOT.der));
    const next = await activate(pending.id, chainFor(pending, ROOT));
    expect([next.version, next.notAfter]).toEqual([first.version + 1, new Date('2036-01-01T00:00:00Z')]);
    expect(
      (await activate(pending.id, pem(...(next.x5c ?? []).map((der) => Buffer.from(der, 'base64'))))).version,
    ).toBe(next.version);
    const renamed = certified(pending, ROOT, { subject: distinguishedName({ CN: 'Another' }) });
    const refused = activate(pending.id, pem(renamed, ROOT.der));
    await expect(refused).rejects.toThrow('has another subject than the certificate before it');
    await expect(refused).rejects.toMatchObject({ details: { reason: 'name_invalid' } });
  });

  it('gets no certificate that names another key identifier', async () => {
    const pending = await pendingAuthority(registry, authority);
    await activate(pending.id, chainFor(pending, ROOT));
    const otherKeyId = certified(pending, ROOT, { extensions: issuerExtensions(subjectKeyId(2)) });
    await expect(activate(pending.id, pem(otherKeyId, ROOT.der))).rejects.toMatchObject({
      details: { reason: 'extension_invalid' },
    });
  });

  it('is retired for good: it issues nothing, keeps what it has, and changes no more', async () => {
    const one = await registry.authority();
    const active = await certificationAuthority(registry, one);
    const retired = await retireCertificationAuthority(registry.context(), active.id, REASON, active.version);
    expect(retired).toMatchObject({ state: 'retired', retiredAt: NOW_DATE, x5c: active.x5c });
    await expect(readActiveCertificationAuthority(registry.db, one.id, active.id)).rejects.toThrow(
      'is retired and issues nothing; name another one',
    );
    const changes = [
      () => retireCertificationAuthority(registry.context(), active.id, REASON),
      () => updateCertificationAuthority(registry.context(), active.id, { overlapDays: 1 }),
      () => activate(active.id, chainFor(active)),
    ];
    for (const change of changes) expect(await outcome(change())).toBe('illegal_transition');
  });

  it('can be given up while it waits for its certificate', async () => {
    const { id } = await pendingAuthority(registry, authority);
    expect(await retireCertificationAuthority(registry.context(), id, REASON)).toMatchObject({
      ...{ state: 'retired', x5c: null, activatedAt: null },
    });
  });

  it('is changed by whoever saw it as it is, and only where something changes', async () => {
    const { id, version } = await pendingAuthority(registry, authority);
    const update = (changes: CertificationChanges, seen?: number) =>
      updateCertificationAuthority(registry.context(), id, changes, seen);
    const changed = await update({ validityDays: { server: 90 }, publicUrl: 'http://crl.example' }, version);
    expect(changed).toMatchObject({
      ...{ version: version + 1, validityDays: { client: 397, server: 90, signing: 397 } },
      publicUrl: 'http://crl.example',
    });
    expect((await update({ validityDays: { server: 90 } })).version).toBe(version + 1);
    expect(await outcome(update({ overlapDays: 7 }, version))).toBe('version_mismatch');
    const other = await pendingAuthority(registry, authority);
    expect(await outcome(update({ name: other.name.toUpperCase() }))).toBe('certification_authority_exists');
  });

  it.each<[string, CertificationChanges]>([
    ['no validity', { validityDays: { client: 0 } }],
    ['more than 397 days', { validityDays: { signing: 398 } }],
    ['a part of a day', { validityDays: { server: 1.5 } }],
    ['an overlap of more than 90 days', { overlapDays: 91 }],
    ['lists that end at once', { revocationListLifetimeSeconds: 599 }],
    ['a URL with a query', { publicUrl: 'https://fed.example/?x=1' }],
    ['a URL with a slash at its end', { publicUrl: 'https://fed.example/' }],
    ['another scheme', { publicUrl: 'ldap://fed.example' }],
    ['a long URL', { publicUrl: `https://fed.example/${'a'.repeat(200)}` }],
    ['a name that fits in no certificate', { name: 'n'.repeat(65) }],
    ['a name of two lines', { name: 'one\ntwo' }],
  ])('is refused with %s', async (_, changes) => {
    const { id } = await pendingAuthority(registry, authority);
    const updated = updateCertificationAuthority(registry.context(), id, changes);
    expect((await refusedBy(updated)).code).toBe('validation_failed');
    const input = { name: 'Fresh', ...changes };
    const created = createCertificationAuthority(registry.context(), authority.id, input, CERTIFICATION_DEFAULTS);
    expect((await refusedBy(created)).code).toBe('validation_failed');
  });
});

describe('the chain that makes a certification authority active', () => {
  const other = testRoot('Other Root');
  const middle = below(root(), { maxPathLength: 0 });
  const SHA1 = sequence(oid('1.2.840.10045.4.1'));

  it.each<[string, (pending: CertificationAuthority) => string, string, string]>([
    ['nonsense', () => 'x', 'certificate_malformed', 'is no PEM'],
    ['a private key', () => armoured('PRIVATE KEY', der(0x30)), 'private_key', 'send the certificate alone'],
    [
      'of another key',
      (p) => pem(certified({ ...p, publicJwk: ecKeyJwk() }, ROOT), ROOT.der),
      'key_mismatch',
      'have the request certified that `holdfast ca show` writes',
    ],
    [
      'upside down',
      (p) => pem(ROOT.der, certified(p, ROOT)),
      'chain_broken',
      'is upside down: certificate 2 is the one of this certification authority; it comes first, the root last',
    ],
    ['alone', (p) => pem(certified(p, ROOT)), 'chain_broken', 'comes alone; send the certificates above it along'],
    [
      'below another root',
      (p) => pem(certified(p, ROOT), other.der),
      'chain_broken',
      'is not signed by the one after it',
    ],
    [
      'signed by somebody of that name',
      (p) => pem(certified(p, { ...ROOT, key: ecKey() }), ROOT.der),
      'chain_broken',
      'is not signed by the one after it',
    ],
    [
      'of no authority',
      (p) => pem(certified(p, ROOT, { extensions: issuerExtensions(basicConstraints(false)) }), ROOT.der),
      'usage_unsuitable',
      'do not say CA:TRUE',
    ],
    [
      'deeper than the path length above it',
      (p) => pem(certified(p, middle), middle.der),
      'usage_unsuitable',
      'the path length of certificate 2 is 0, no authority below it',
    ],
    [
      'without keyCertSign',
      (p) => pem(certified(p, ROOT, { extensions: issuerExtensions(keyUsage(0x02, 1)) }), ROOT.der),
      'usage_unsuitable',
      'lacks keyCertSign',
    ],
    [
      'without cRLSign',
      (p) => pem(certified(p, ROOT, { extensions: issuerExtensions(keyUsage(0x04, 2)) }), ROOT.der),
      'usage_unsuitable',
      'lacks cRLSign',
    ],
    [
      'for code signing',
      (p) => pem(certified(p, ROOT, { extensions: issuerExtensions(extendedKeyUsage('1.3.6.1.5.5.7.3.3')) }), ROOT.der),
      'usage_unsuitable',
      'neither clientAuth nor serverAuth',
    ],
    [
      'without a subject key identifier',
      (p) => pem(certified(p, ROOT, { extensions: [basicConstraints(true), CERTIFICATE_SIGNING] }), ROOT.der),
      'extension_invalid',
      'has no subject key identifier',
    ],
    [
      'that has expired',
      (p) => pem(certified(p, ROOT, { notAfter: '260201000000Z' }), ROOT.der),
      'certificate_expired',
      'has expired at 2026-02-01T00:00:00.000Z; bring one that is valid',
    ],
    [
      'below a root that has expired',
      (p) => {
        const old = root({ notAfter: '260201000000Z' });
        return pem(certified(p, old), old.der);
      },
      'certificate_expired',
      'has expired: certificate 2',
    ],
    [
      'that is not valid yet',
      (p) => pem(certified(p, ROOT, { notBefore: '350101000000Z' }), ROOT.der),
      'certificate_not_yet_valid',
      'is not valid yet, before 2035-01-01',
    ],
    [
      'signed with SHA-1',
      (p) => pem(certified(p, ROOT, { hash: 'sha1', signatureAlgorithm: SHA1 }), ROOT.der),
      'algorithm_unsupported',
      'something else than RSA, ECDSA or EdDSA and SHA-2',
    ],
    [
      'with the same certificate twice',
      (p) => pem(certified(p, ROOT), ROOT.der, ROOT.der),
      'certificate_repeated',
      'the same certificate twice',
    ],
  ])('is refused %s', async (_, chain, reason, words) => {
    const pending = await pendingAuthority(registry, authority);
    const refused = activate(pending.id, chain(pending));
    await expect(refused).rejects.toMatchObject({ code: 'validation_failed', details: { reason } });
    await expect(refused).rejects.toThrow(words);
    expect((await read(pending.id)).version).toBe(1);
  });

  it('may have authorities between, as deep as each of them allows', async () => {
    const pending = await pendingAuthority(registry, authority);
    const top = root({ maxPathLength: 2 });
    const between = below(top, { maxPathLength: 1 });
    const active = await activate(pending.id, pem(certified(pending, between), between.der, top.der));
    expect(active.x5c).toHaveLength(3);
  });

  it('has room for a leaf in front of it', async () => {
    const pending = await pendingAuthority(registry, authority);
    const chain = [root()];
    while (chain.length < 5)
      chain.unshift(below(chain[0] ?? root(), { subject: distinguishedName({ O: `${chain.length}` }) }));
    const all = chain.map(({ der }) => der);
    const refused = activate(pending.id, pem(certified(pending, chain[0] ?? root()), ...all));
    await expect(refused).rejects.toThrow('is a chain of more than 5 certificates');
  });
});

describe('what is recorded of a certification authority', () => {
  it('names key and certificate by their fingerprints', async () => {
    const one = await registry.authority();
    const active = await certificationAuthority(registry, one);
    const [row] = await registry.db
      .select({ sealed: certificationAuthorities.sealedPrivateKey })
      .from(certificationAuthorities)
      .where(eq(certificationAuthorities.id, active.id));
    const rows = (await registry.auditAfter()).filter(({ subjectId }) => subjectId === active.id);
    expect(rows.map(({ action }) => action)).toEqual([
      'certification_authority.create',
      'certification_authority.activate',
    ]);
    expect(rows.at(-1)?.after).toMatchObject({ state: 'active', kid: active.kid, x5tS256: active.x5tS256 });
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(row?.sealed ?? []).toString('base64'));
  });
});

function ecKeyJwk() {
  return ecKey().publicKey.export({ format: 'jwk' }) as CertificationAuthority['publicJwk'];
}
