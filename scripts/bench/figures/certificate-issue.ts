/** What a certificate costs from the request for it to its signature, beside a library that makes one and looks at nothing. */
import 'reflect-metadata';
import { createPublicKey, randomBytes } from 'node:crypto';
import { Pkcs10CertificateRequest, X509Certificate, X509CertificateGenerator } from '@peculiar/x509';
import type { JsonObject } from '../../../src/federation/json.ts';
import type { Jwk } from '../../../src/federation/jwk-set.ts';
import { createCertificateIssuer } from '../../../src/issuance/certificates/certificate-issuer.ts';
import { writeName } from '../../../src/pki/names/write-name.ts';
import { parsePathCertificate } from '../../../src/pki/path/path-certificate.ts';
import { lintCertificate } from '../../../src/pki/profile/lint-certificate.ts';
import { writeTbsCertificate } from '../../../src/pki/profile/write-certificate.ts';
import { lintCertificateRequest } from '../../../src/pki/request/lint-certificate-request.ts';
import { parseCertificateRequest } from '../../../src/pki/request/parse-certificate-request.ts';
import { writeCertificationRequestInfo } from '../../../src/pki/request/write-certificate-request.ts';
import {
  type CertifiedAuthorityRow,
  DEFAULT_CERTIFICATION_SETTINGS,
} from '../../../src/registry/certification/certification-authority.ts';
import { MasterKey } from '../../../src/signer/sealing.ts';
import { createSigner, type Signer } from '../../../src/signer/signer.ts';
import type { Figure } from '../figure.ts';
import { inLanes, roundRobin, shareOfFloor } from '../rounds.ts';

const CONCURRENCY = 16;
const REQUESTS = 200;
const OWNER = '0190a000-0000-7000-8000-000000000001';
const DAY_SECONDS = 86_400;

export const certificateIssue: Figure = {
  name: 'certificate_issue',
  summary: `CSR verified, profile applied, linted, signed, verified in memory, certificates a second over @peculiar/x509's bare create and verify of the same, ${CONCURRENCY} at a time`,
  unit: 'ratio',
  target: 0.7,
  better: 'higher',
  async measure(bench) {
    const requests = await certificateRequests();
    const issue = await issuing(requests);
    const example = await issue();
    const bare = await bareIssuing(requests, example);
    const bareBytes = (await bare()).length;
    const measurement = await shareOfFloor(bench, inLanes(CONCURRENCY, issue), inLanes(CONCURRENCY, bare));
    return {
      ...measurement,
      details: { ...measurement.details, concurrency: CONCURRENCY, bytes: example.length, bareBytes },
    };
  },
};

/** Of as many applications, each with a key of its own. */
async function certificateRequests(): Promise<Uint8Array[]> {
  const signer = createSigner(new MasterKey(randomBytes(32)));
  const subject = [{ type: '2.5.4.3', text: 'whatever the application wants' }];
  return await Promise.all(
    Array.from({ length: REQUESTS }, async () => {
      const key = await signer.generateKey(OWNER, 'ES256', 'certification-authority');
      const spki = spkiOf(key.publicJwk);
      const info = writeCertificationRequestInfo({ subject, spki });
      return await signer.signDer(key, lintCertificateRequest(info, { alg: 'ES256', spki }));
    }),
  );
}

const SUBJECT = [
  { type: '2.5.4.10', text: 'Organisation of the bench' },
  { type: '2.5.4.97', text: 'NTRDE-HRB1234' },
  { type: '0.9.2342.19200300.100.1.1', text: '0190a000-0000-7000-8000-000000000001' },
  { type: '2.5.4.3', text: 'app.example' },
] as const;
const ENTITY = 'https://app.example/federation';

async function issuing(requests: readonly Uint8Array[]): Promise<() => Promise<Uint8Array>> {
  const signer = createSigner(new MasterKey(randomBytes(32)));
  const certificationAuthority = await issuerOf(signer);
  const issueCertificate = createCertificateIssuer({ signer, random: randomBytes });
  const next = roundRobin(requests);
  const now = Math.floor(Date.now() / 1000);
  return async () => {
    const { spki } = parseCertificateRequest(next());
    const { der } = await issueCertificate({
      ...{ certificationAuthority, profile: 'client', subject: SUBJECT, spki },
      alternativeNames: [{ form: 'uri', text: ENTITY }],
      ...{ notBefore: new Date(now * 1000), notAfter: new Date((now + 90 * DAY_SECONDS) * 1000) },
    });
    return der;
  };
}

/** Its key is sealed; it signs its certificate itself. */
async function issuerOf(signer: Signer): Promise<CertifiedAuthorityRow> {
  const key = await signer.generateKey(OWNER, 'ES256', 'certification-authority');
  const { kid, publicJwk, sealedPrivateKey } = key;
  const spki = spkiOf(publicJwk);
  const createdAt = new Date();
  const notBefore = Math.floor(createdAt.getTime() / 1000) - DAY_SECONDS;
  const subject = [{ type: '2.5.4.3', text: 'Issuing CA of the bench' }];
  const profile = 'root-authority';
  const tbs = writeTbsCertificate({
    ...{ profile, alg: 'ES256', serial: Buffer.alloc(16, 7), issuer: writeName(subject), subject, notBefore },
    ...{ notAfter: notBefore + 3000 * DAY_SECONDS, spki, authorityKeyIdentifier: null },
  });
  const certificate = await signer.signDer(key, lintCertificate(tbs, { profile, alg: 'ES256', issuer: 'self', spki }));
  return {
    ...{ id: OWNER, authorityId: OWNER, name: 'Issuing CA of the bench', state: 'active', kid, alg: 'ES256' },
    ...{
      purpose: 'certification-authority',
      publicJwk: publicJwk as JsonObject,
      sealedPrivateKey,
      custody: 'sealed',
      tokenObject: null,
    },
    ...{ request: new Uint8Array(), x5c: [Buffer.from(certificate).toString('base64')] },
    ...{ x5tS256: parsePathCertificate(certificate).x5tS256, publicUrl: 'https://federation.example' },
    ...{ notBefore: createdAt, notAfter: createdAt, activatedAt: createdAt, retiredAt: null, version: 1, createdAt },
    ...{ ...DEFAULT_CERTIFICATION_SETTINGS, revocationListNumber: 0 },
  };
}

/** Writes subject and extensions of an example over and over, all of them ready as they are; only the key is another. */
async function bareIssuing(requests: readonly Uint8Array[], example: Uint8Array): Promise<() => Promise<Uint8Array>> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const { publicKey, privateKey } = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  const { subjectName, issuerName, extensions, notBefore, notAfter } = new X509Certificate(Buffer.from(example));
  const next = roundRobin(requests);
  return async () => {
    const request = new Pkcs10CertificateRequest(Buffer.from(next()));
    if (!(await request.verify())) throw new Error('a request does not verify');
    const certificate = await X509CertificateGenerator.create({
      ...{ subject: subjectName, issuer: issuerName, extensions, notBefore, notAfter },
      ...{ serialNumber: `4f${randomBytes(15).toString('hex')}`, publicKey: request.publicKey },
      ...{ signingAlgorithm: algorithm, signingKey: privateKey },
    });
    if (!(await certificate.verify({ publicKey, signatureOnly: true }))) throw new Error('it does not verify');
    return new Uint8Array(certificate.rawData);
  };
}

function spkiOf(jwk: Jwk): Uint8Array {
  return createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ format: 'der', type: 'spki' });
}
