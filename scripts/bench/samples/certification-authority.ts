/** A certification authority of a deployment, below a root that nobody needs any more. */
import path from 'node:path';
import { certifyRequest, openOrMakeRoot } from '../../../src/cli/ca/root-ceremony.ts';
import { decodePem } from '../../../src/pki/pem.ts';
import type { BenchClient } from '../service/api-client.ts';
import { runDirectory } from '../service/run-directory.ts';
import { onlyAuthority } from './add-organisation.ts';

export interface BenchCertificationAuthority {
  id: string;
  /** DER. */
  certificate: Uint8Array;
}

interface Pending {
  id: string;
  request: string;
}

/** @param rootName of a folder of its own among those of this run */
export async function certificationAuthority(
  client: BenchClient,
  rootName: string,
): Promise<BenchCertificationAuthority> {
  const { id: authorityId } = await onlyAuthority(client);
  const wanted = { authorityId, name: 'Bench Issuing CA' };
  const { body: pending } = await client.api<Pending>('POST', 'certification-authorities', { body: wanted });
  const now = Math.floor(Date.now() / 1000);
  const folder = path.join(runDirectory(), rootName);
  const order = { folder, passphrase: 'a passphrase of the bench', name: 'Bench Root', organisation: undefined };
  const { root } = await openOrMakeRoot({ ...order, alg: 'ES256', years: 20 }, now);
  const chain = certifyRequest(root, pending.request, 10, now);
  await client.api('POST', `certification-authorities/${pending.id}/activate`, { body: { certificate: chain } });
  const [certificate = new Uint8Array()] = decodePem(chain);
  return { id: pending.id, certificate };
}
