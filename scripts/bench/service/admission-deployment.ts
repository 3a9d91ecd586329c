/** A deployment with 100,000 applications, each with a client certificate, that is asked whom to admit. */
import path from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { Bench } from '../bench.ts';
import { readable } from '../rounds.ts';
import {
  ENFORCEMENT_POINT_TOKEN,
  fillCertificates,
  type ShownCertificate,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
} from '../samples/fill-certificates.ts';
import { fillRegistry } from '../samples/fill-registry.ts';
import { TRUST_ANCHOR } from '../samples/registry-records.ts';
import { createDatabase, postgres } from './deployment.ts';
import { bodyOf, exchange } from './exchange.ts';
import { type HoldfastProcess, startHoldfast } from './holdfast-process.ts';
import { residentMemoryBytes } from './process-memory.ts';
import { runDirectory } from './run-directory.ts';

const CERTIFICATES = 100_000;

export const ADMISSION_PATH = '/api/v1/admission';

export const ADMISSION_HEADERS = {
  'content-type': 'application/json',
  'holdfast-enforcement-point': ENFORCEMENT_POINT_TOKEN,
};

export interface AdmissionDeployment extends HoldfastProcess {
  certificates: readonly ShownCertificate[];
  /** Of the process that answers, once it is ready, in bytes. */
  memoryBytes: number;
  /** An access token for whoever has the certificate, bound to it. */
  token: (certificate: ShownCertificate) => Promise<string>;
  /** What verifies it. */
  tokenKey: { key: JWK; issuer: string; audience: string };
}

export async function admissionDeployment(bench: Bench): Promise<AdmissionDeployment> {
  const databaseUrl = await createDatabase((await bench.shared(postgres)).url, 'bench_admission');
  const dataDir = path.join(runDirectory(), 'data-admission');
  const settings = { baseUrl: TRUST_ANCHOR, dataDir, databaseUrl };
  bench.progress(`recording ${readable(CERTIFICATES)} applications with certificates`);
  // The first start makes the authority and its keys.
  await (await startHoldfast(settings))[Symbol.asyncDispose]();
  await fillRegistry(databaseUrl, CERTIFICATES);
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  const key = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' };
  const certificates = await fillCertificates(databaseUrl, key);
  const startedAt = performance.now();
  const service = await startHoldfast(settings);
  bench.progress(`ready after ${readable((performance.now() - startedAt) / 1000)} s`);
  const token = ({ x5tS256, entityIdentifier }: ShownCertificate) =>
    new SignJWT({ client_id: entityIdentifier, scope: 'payments', cnf: { 'x5t#S256': x5tS256 } })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
      .setIssuer(TOKEN_ISSUER)
      .setSubject(entityIdentifier)
      .setAudience(TOKEN_AUDIENCE)
      .setIssuedAt()
      .setExpirationTime('2h')
      .setJti(x5tS256)
      .sign(privateKey);
  return {
    ...service,
    certificates,
    memoryBytes: residentMemoryBytes(service.pid),
    token,
    tokenKey: { key, issuer: TOKEN_ISSUER, audience: TOKEN_AUDIENCE },
  };
}

/** Somebody who may pass is told so. */
export async function requireAllowed(deployment: AdmissionDeployment, body: string): Promise<void> {
  const answer = bodyOf(await exchange(deployment, ADMISSION_PATH, { form: body, headers: ADMISSION_HEADERS }));
  const { decision, reasons } = JSON.parse(answer);
  if (decision !== 'allow') throw new Error(`somebody who may pass is denied: ${reasons}`);
}
