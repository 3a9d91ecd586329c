/** A deployment that issued certificates, is asked about them, and keeps them all good; on a real PostgreSQL. */
import path from 'node:path';
import type { Bench } from '../bench.ts';
import { readable } from '../rounds.ts';
import { certificationAuthority } from '../samples/certification-authority.ts';
import { fillIssued } from '../samples/fill-issued.ts';
import { fillRegistry } from '../samples/fill-registry.ts';
import { TRUST_ANCHOR } from '../samples/registry-records.ts';
import { ADMIN_ENVIRONMENT, BenchClient } from './api-client.ts';
import { createDatabase, postgres } from './deployment.ts';
import { type HoldfastProcess, startHoldfast } from './holdfast-process.ts';
import { runDirectory } from './run-directory.ts';

export interface OcspDeployment extends HoldfastProcess {
  certificationAuthorityId: string;
  /** DER of its certificate. */
  issuer: Uint8Array;
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
  using client = new BenchClient(service, 1);
  const { id: certificationAuthorityId, certificate: issuer } = await certificationAuthority(client, 'root-ocsp');
  const issued = await fillIssued(databaseUrl, certificationAuthorityId, { revoked: 0, good: CERTIFICATES });
  const serials = issued.map(({ serial }) => serial);
  const running = stack.move();
  return {
    ...{ ...service, certificationAuthorityId, issuer, serials },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
