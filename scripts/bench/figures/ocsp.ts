/** What servers are told of the status of certificates: from memory, and signed for who sends a nonce. @see RFC 6960 */
import { randomBytes } from 'node:crypto';
import { ocspRequest } from '../../../test/support/ocsp.ts';
import type { Figure } from '../figure.ts';
import { compareServers } from '../load/compare-servers.ts';
import { exchange } from '../service/exchange.ts';
import { startFloor } from '../service/floor.ts';
import { type OcspDeployment, ocspDeployment } from '../service/ocsp-deployment.ts';

const LOAD = { connections: 16, pipelining: 8 } as const;
const NONCE_LOAD = { connections: 16, pipelining: 1, isOfAnySize: true } as const;
const NONCES = 10_000;
const NONCE_BYTES = 32;

export const ocsp: Figure = {
  name: 'ocsp',
  summary: 'answers a second about certificates of ours without nonce, over a bare Hono handler with the same body',
  unit: 'ratio',
  target: 0.7,
  better: 'higher',
  async measure(bench) {
    const deployment = await bench.shared(ocspDeployment);
    const { port, host, pid, serials } = deployment;
    const paths = await ofOneSize(
      deployment,
      serials.map((serial) => pathOf(deployment, serial)),
    );
    await using floor = await startFloor({ port, host }, paths[0] ?? '', 'bytes');
    const measurement = await compareServers(
      bench,
      { port, host, serverPid: pid, paths, ...LOAD },
      // The floor has one path; ours finds each answer by all of it.
      { port: floor.port, host, serverPid: floor.pid, paths: paths.slice(0, 1), ...LOAD },
    );
    return { ...measurement, details: { ...measurement.details, certificates: paths.length } };
  },
};

export const ocspNonce: Figure = {
  name: 'ocsp_nonce',
  summary: 'answers a second with a nonce, over a bare Hono handler that signs as many bytes with ES256',
  unit: 'ratio',
  target: 0.3,
  better: 'higher',
  async measure(bench) {
    const deployment = await bench.shared(ocspDeployment);
    const { port, host, pid, serials } = deployment;
    const paths = Array.from({ length: NONCES }, (_, index) =>
      pathOf(deployment, serials[index % serials.length] ?? '', randomBytes(NONCE_BYTES)),
    );
    await using floor = await startFloor({ port, host }, paths[0] ?? '', 'signed-bytes');
    return await compareServers(
      bench,
      { port, host, serverPid: pid, paths, ...NONCE_LOAD },
      { port: floor.port, host, serverPid: floor.pid, paths: paths.slice(0, 1), ...NONCE_LOAD },
    );
  },
};

function pathOf({ issuer, certificationAuthorityId }: OcspDeployment, serial: string, nonce?: Uint8Array): string {
  const request = ocspRequest({ issuer, serials: [serial], ...(nonce && { nonce }) });
  return `/ca/${certificationAuthorityId}/ocsp/${encodeURIComponent(request.toString('base64'))}`;
}

const GOOD = Buffer.from([0x80, 0x00, 0x18, 0x0f]);

/** Signatures of ECDSA differ in length by a byte or two, and so do answers: those of the commonest size. */
async function ofOneSize(deployment: OcspDeployment, paths: readonly string[]): Promise<string[]> {
  const bySize = new Map<number, string[]>();
  for (const path of paths) {
    const { status, body } = await exchange(deployment, path);
    if (status !== 200 || !body.includes(GOOD)) throw new Error(`${path} is answered with ${status}, or not as good`);
    const alike = bySize.get(body.length) ?? [];
    alike.push(path);
    bySize.set(body.length, alike);
  }
  return [...bySize.values()].toSorted((one, other) => other.length - one.length)[0] ?? [];
}
