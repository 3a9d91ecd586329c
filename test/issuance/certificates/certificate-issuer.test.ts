/** Certificates issued with the sealed key of a certification authority; records of it are in memory. */
import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/federation/json.ts';
import { createCertificateIssuer } from '../../../src/issuance/certificates/certificate-issuer.ts';
import { CertificateError } from '../../../src/pki/certificate-error.ts';
import { parseDer } from '../../../src/pki/der.ts';
import { parsePathCertificate } from '../../../src/pki/path/path-certificate.ts';
import type { CertifiedAuthorityRow } from '../../../src/registry/certification/certification-authority.ts';
import type { CertificateOrder } from '../../../src/registry/certification/issue-certificate.ts';
import { CustodyUnavailable } from '../../../src/signer/custody/key-custody.ts';
import { MasterKey, UnsealError } from '../../../src/signer/sealing.ts';
import { createSigner, type Signer } from '../../../src/signer/signer.ts';
import { ecKey } from '../../support/certificates.ts';
import { BEGIN, DAY, issued, ownRoot, planFor, spkiOf } from '../../support/own-certificates.ts';

const ID = '0190a000-0000-7000-8000-000000000001';
const signer = createSigner(new MasterKey(randomBytes(32)));
const ROOT = ownRoot();
const issue = createCertificateIssuer({ signer, random: randomBytes });

/** One whose key is sealed, below the root of the test. */
async function authorityRow(alg: 'ES256' | 'ES384' | 'RS256' = 'ES256'): Promise<CertifiedAuthorityRow> {
  const { kid, publicJwk, sealedPrivateKey } = await signer.generateKey(ID, alg, 'certification-authority');
  const spki = createPublicKey({ key: { ...publicJwk }, format: 'jwk' }).export({ format: 'der', type: 'spki' });
  const own = issued(planFor('issuing-authority', ROOT, spki, { notAfter: BEGIN + 3000 * DAY }), ROOT, ROOT.key);
  const at = new Date(BEGIN * 1000);
  return {
    ...{ id: ID, authorityId: ID, name: 'Issuing CA', state: 'active', kid, alg, purpose: 'certification-authority' },
    ...{
      publicJwk: publicJwk as JsonObject,
      sealedPrivateKey,
      custody: 'sealed',
      tokenObject: null,
      request: new Uint8Array(),
    },
    ...{ x5c: [own, ROOT.der].map((bytes) => bytes.toString('base64')), x5tS256: parsePathCertificate(own).x5tS256 },
    ...{ notBefore: at, notAfter: new Date((BEGIN + 3000 * DAY) * 1000), publicUrl: 'https://fed.example' },
    ...{ validityDays: { client: 397, server: 397, signing: 397 }, overlapDays: 30 },
    ...{ revocationListLifetimeSeconds: 86_400, revocationListNumber: 0, activatedAt: at, retiredAt: null, version: 2 },
    createdAt: at,
  };
}

const KEY = ecKey();
const orderOf = (
  certificationAuthority: CertifiedAuthorityRow,
  changes: Partial<CertificateOrder> = {},
): CertificateOrder => ({
  ...{ certificationAuthority, profile: 'client', spki: spkiOf(KEY) },
  subject: [{ type: '2.5.4.3', text: 'app.example' }],
  alternativeNames: [{ form: 'uri', text: 'https://app.example' }],
  notBefore: new Date(BEGIN * 1000),
  notAfter: new Date((BEGIN + 90 * DAY) * 1000),
  ...changes,
});

/** The signer, but for what becomes of what it signs. */
function signerWith(signDer: Signer['signDer']): Pick<Signer, 'signDer'> {
  return { signDer };
}

describe('[F20] a certificate that is issued', () => {
  it.each(['ES256', 'ES384', 'RS256'] as const)('is what was ordered, signed with the sealed %s key', async (alg) => {
    const row = await authorityRow(alg);
    const { der, serial } = await issue(orderOf(row));
    const certificate = new X509Certificate(der);
    const issuer = new X509Certificate(Buffer.from(row.x5c[0] ?? '', 'base64'));
    expect(certificate.verify(issuer.publicKey)).toBe(true);
    expect(certificate.checkIssued(issuer)).toBe(true);
    expect(certificate.checkPrivateKey(KEY.privateKey)).toBe(true);
    expect(certificate.serialNumber.toLowerCase()).toBe(serial);
    expect(certificate.subject).toBe('CN=app.example');
    expect(certificate.validToDate).toEqual(new Date((BEGIN + 90 * DAY) * 1000));
    const base = `https://fed.example/ca/${ID}`;
    expect(certificate.infoAccess).toBe(`OCSP - URI:${base}/ocsp\nCA Issuers - URI:${base}/certificate`);
    expect(Buffer.from(der).includes(`${base}/crl`)).toBe(true);
  });

  it('has a serial number of 127 random bits, never twice the same, never shorter', async () => {
    const row = await authorityRow();
    const serials = await Promise.all(Array.from({ length: 100 }, async () => (await issue(orderOf(row))).serial));
    expect(new Set(serials).size).toBe(serials.length);
    for (const serial of serials) expect(serial).toMatch(/^[1-9a-f][0-9a-f]{30,31}$/);
    const drawn = [Buffer.alloc(16), Buffer.from(`80${'11'.repeat(15)}`, 'hex'), Buffer.alloc(16, 0xff)];
    const next = createCertificateIssuer({ signer, random: () => drawn.shift() ?? Buffer.alloc(0) });
    expect((await next(orderOf(row))).serial).toBe(`7f${'ff'.repeat(15)}`);
  });

  it('of an OCSP responder has no addresses, and is not asked about itself', async () => {
    const order = orderOf(await authorityRow(), {
      ...{ profile: 'ocsp-responder', alternativeNames: [], notAfter: new Date((BEGIN + 20 * DAY) * 1000) },
    });
    const { der } = await issue(order);
    expect(new X509Certificate(der).infoAccess).toBeUndefined();
    expect(Buffer.from(der).includes(Buffer.from('2b0601050507300105', 'hex'))).toBe(true);
  });
});

describe('[F20] nothing is issued', () => {
  it.each<[string, Partial<CertificateOrder>, string]>([
    ['for longer than the profile allows', { notAfter: new Date((BEGIN + 400 * DAY) * 1000) }, 'validity_invalid'],
    ['that begins before its issuer', { notBefore: new Date((BEGIN - DAY) * 1000) }, 'validity_invalid'],
    ['for nobody', { subject: [] }, 'lint_failed'],
    ['without its alternative name', { alternativeNames: [] }, 'lint_failed'],
    ['for a weak key', { spki: spkiOf(ecKey('secp224r1')) }, 'weak_key'],
  ])('%s, and its key is not asked', async (_, changes, reason) => {
    let asked = 0;
    const watched = signerWith(async (key, linted) => {
      asked++;
      return await signer.signDer(key, linted);
    });
    const row = await authorityRow();
    const failure = await createCertificateIssuer({ signer: watched, random: randomBytes })(orderOf(row, changes)).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(CertificateError);
    expect(failure).toMatchObject({ reason });
    expect(asked).toBe(0);
  });

  it('for the key of its issuer, or of an authority that has no key here', async () => {
    const row = await authorityRow();
    const spki = createPublicKey({ key: { ...row.publicJwk }, format: 'jwk' }).export({ format: 'der', type: 'spki' });
    await expect(issue(orderOf(row, { spki }))).rejects.toMatchObject({ reason: 'lint_failed' });
    await expect(issue(orderOf({ ...row, sealedPrivateKey: null }))).rejects.toThrow(/is nowhere/);
  });

  it('with a key that is sealed for another owner, under another master key, or for another use', async () => {
    const row = await authorityRow();
    await expect(issue(orderOf({ ...row, id: ID.replace('1', '2') }))).rejects.toThrow(UnsealError);
    const elsewhere = createSigner(new MasterKey(randomBytes(32)));
    const other = createCertificateIssuer({ signer: elsewhere, random: randomBytes });
    await expect(other(orderOf(row))).rejects.toThrow(UnsealError);
    const purpose = 'ocsp-responder' as 'certification-authority';
    await expect(issue(orderOf({ ...row, purpose }))).rejects.toThrow(TypeError);
  });

  it('with a token that is not there', async () => {
    const row = await authorityRow();
    const inToken = { ...row, sealedPrivateKey: null, custody: 'pkcs11', tokenObject: 'ab' } as const;
    await expect(issue(orderOf(inToken))).rejects.toThrow(CustodyUnavailable);
  });

  it.each<[string, (row: CertifiedAuthorityRow) => Promise<Signer['signDer']>]>([
    [
      'one bit of which is wrong',
      async () => async (key, linted) => {
        const der = await signer.signDer(key, linted);
        return der.with(-1, (der.at(-1) ?? 0) ^ 1);
      },
    ],
    [
      'of another key',
      async () => {
        const other = await signer.generateKey(ID, 'ES256', 'certification-authority');
        return (_, linted) => signer.signDer(other, linted);
      },
    ],
    [
      'over another certificate',
      async (row) => {
        const { der } = await issue(orderOf(row));
        return async () => der;
      },
    ],
    ['that is none', async () => async () => new Uint8Array([0x30, 0])],
    [
      'with bytes after it',
      async () => async (key, linted) => Buffer.concat([await signer.signDer(key, linted), Buffer.alloc(1)]),
    ],
  ])('with a signature %s', async (_, signDerFor) => {
    const row = await authorityRow();
    const wrong = createCertificateIssuer({ signer: signerWith(await signDerFor(row)), random: randomBytes });
    await expect(wrong(orderOf(row))).rejects.toThrow(/does not verify/);
    // The same authority still issues with its own key.
    expect(parseDer((await issue(orderOf(row))).der).children).toHaveLength(3);
  });
});
