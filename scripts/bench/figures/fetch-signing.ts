/** What a Subordinate Statement costs beyond its bare signature. @see OIDFED §8.1 */

import { randomBytes } from 'node:crypto';
import { CompactSign, type CryptoKey, decodeProtectedHeader, generateKeyPair } from 'jose';
import { MasterKey } from '../../../src/signer/sealing.ts';
import { createSigner } from '../../../src/signer/signer.ts';
import type { Figure } from '../figure.ts';
import { inLanes, shareOfFloor } from '../rounds.ts';
import { issuingFromMemory } from '../samples/issuing.ts';

const CONCURRENCY = 16;

export const fetchSigning: Figure = {
  name: 'fetch_signing',
  summary: `claims → lint → sign from records in memory, statements a second over bare jose signatures, ${CONCURRENCY} at a time`,
  unit: 'ratio',
  target: 0.6,
  better: 'higher',
  async measure(bench) {
    const { authority, issue } = await issuingFromMemory();
    const signer = createSigner(new MasterKey(randomBytes(32)));
    const key = await signer.generateKey(authority.id, 'ES256');
    const example = await issue(signer, key);
    const measurement = await shareOfFloor(
      bench,
      inLanes(CONCURRENCY, () => issue(signer, key)),
      inLanes(CONCURRENCY, await bareSignature(example)),
    );
    return { ...measurement, details: { ...measurement.details, concurrency: CONCURRENCY, bytes: example.length } };
  },
};

/** The payload and header of an example signed over and over, both ready as they are. */
async function bareSignature(example: string): Promise<() => Promise<string>> {
  const { privateKey }: { privateKey: CryptoKey } = await generateKeyPair('ES256');
  const header = { ...decodeProtectedHeader(example), alg: 'ES256' };
  const payload = Buffer.from(example.split('.')[1] ?? '', 'base64url');
  return () => new CompactSign(payload).setProtectedHeader(header).sign(privateKey);
}
