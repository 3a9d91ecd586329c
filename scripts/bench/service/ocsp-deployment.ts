/** A deployment that issued certificates, is asked about them, and keeps them all good; on a real PostgreSQL. */
import path from 'node:path';
import { asc } from 'drizzle-orm';
import type { JsonObject } from '../../../src/federation/json.ts';
import { keyIdentifierOf } from '../../../src/pki/profile/key-identifier.ts';
import { parseCertificateRequest } from '../../../src/pki/request/parse-certificate-request.ts';
import { recordId } from '../../../src/registry/record-id.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import {
  AUTHORITY,
  certificate,
  der,
  distinguishedName,
  ecKey,
  keyUsage,
  pem,
} from '../../../test/support/certificates.ts';
import type { Bench } from '../bench.ts';
import { readable } from '../rounds.ts';
import { fillRegistry } from '../samples/fill-registry.ts';
import { TRUST_ANCHOR } from '../samples/registry-records.ts';
import { ADMIN_ENVIRONMENT, BenchClient } from './api-client.ts';
import { createDatabase, postgres } from './deployment.ts';
import { type HoldfastProcess, startHoldfast } from './holdfast-process.ts';
import { runDirectory } from './run-directory.ts';

export interface OcspDeployment extends HoldfastProcess {
  certificationAuthorityId: string;
  /** DER of its certificate. */
  issuer: Buffer;
  /** Of what it issued, in hexadecimal. */
  serials: readonly string[];
}

const CERTIFICATES = 1_000;

export async function ocspDeployment(bench: Bench): Promise<OcspDeployment> {
  await using stack = new AsyncDisposableStack();
  const databaseUrl = await createDatabase((await bench.shared(postgres)).url, 'bench_ocsp');
  const dataDir = path.join(runDirectory(), 'data-ocsp');
  const settings = { baseUrl: TRUST_ANCHOR, dataDir, databaseUrl, environment: ADMIN_ENVIRONMENT };
  bench.progress(`recording ${readable(CERTIFICATES)} applications with certificates of ours`);
  // The first start makes the authority and its keys.
  await (await startHoldfast(settings))[Symbol.asyncDispose]();
  await fillRegistry(databaseUrl, CERTIFICATES);
  const service = stack.use(await startHoldfast(settings));
  const { id: certificationAuthorityId, issuer } = await makeIssuer(service);
  const serials = await fillIssued(databaseUrl, certificationAuthorityId);
  const running = stack.move();
  return {
    ...{ ...service, certificationAuthorityId, issuer, serials },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

interface Made {
  id: string;
  request: string;
}

/** Below a root that nobody keeps. */
async function makeIssuer(service: HoldfastProcess): Promise<{ id: string; issuer: Buffer }> {
  using client = new BenchClient(service, 1);
  const { body: authorities } = await client.api<{ items: { id: string }[] }>('GET', 'authorities');
  const name = 'Bench Issuing CA';
  const { body: made } = await client.api<Made>('POST', 'certification-authorities', {
    body: { authorityId: authorities.items[0]?.id, name },
  });
  const { spki } = parseCertificateRequest(made.request);
  const root = { key: ecKey(), name: distinguishedName({ CN: 'Bench Root' }) };
  const signsCertificates = keyUsage(0x06, 1);
  const keyIdentifier = { type: '2.5.29.14', value: der(0x04, keyIdentifierOf(spki)) };
  const issuer = certificate({
    ...{ issuer: root, subject: distinguishedName({ CN: name }), spki },
    extensions: [AUTHORITY, signsCertificates, keyIdentifier],
  });
  const above = certificate({ key: root.key, subject: root.name, extensions: [AUTHORITY, signsCertificates] });
  await client.api('POST', `certification-authorities/${made.id}/activate`, {
    body: { certificate: pem(issuer, above) },
  });
  return { id: made.id, issuer };
}

/** One for each application. Of a certificate its responder needs no more than the record. */
async function fillIssued(databaseUrl: string, certificationAuthorityId: string): Promise<string[]> {
  await using database = await connectDatabase({ url: databaseUrl, role: 'owner' });
  const { db } = database;
  const now = new Date();
  const owners = await db
    .select({ id: entities.id, authorityId: entities.authorityId })
    .from(entities)
    .orderBy(asc(entities.id));
  const rows = owners.map(({ id: entityId, authorityId }, index) => {
    const fingerprint = index.toString(16).padStart(43, '0');
    return {
      ...({ id: recordId(now.getTime(), 0), authorityId, entityId, kind: 'x509', usage: 'transport' } as const),
      ...({ source: 'issued', certificationAuthorityId, possession: 'proven', environment: 'production' } as const),
      ...{ kid: fingerprint, publicJwk: { kty: 'EC' } as JsonObject, spkiSha256: fingerprint, x5tS256: fingerprint },
      ...{ x5c: [''], subject: 'CN=client', issuer: 'CN=Bench Issuing CA', serial: serialOf(index) },
      ...({ notBefore: new Date('2026-01-01'), notAfter: new Date('2036-01-01'), state: 'active' } as const),
      ...{ stateChangedAt: now, version: 1, createdAt: now },
    };
  });
  await db.insert(credentials).values(rows);
  return rows.map(({ serial }) => serial);
}

/** As long as those that are issued, 16 bytes. */
function serialOf(index: number): string {
  return `4f${index.toString(16).padStart(30, '0')}`;
}
