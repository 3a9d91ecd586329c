/** What a Subordinate Statement costs beyond its bare signature. @see OIDFED §8.1 */

import { randomBytes } from 'node:crypto';
import { CompactSign, type CryptoKey, decodeProtectedHeader, generateKeyPair } from 'jose';
import type { HouseRules } from '../../../src/federation/lint/lint-statement.ts';
import { signStatement } from '../../../src/issuance/statement-issuer.ts';
import { buildSubordinateStatement, firstKeyExpiry } from '../../../src/issuance/subordinate-statement.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { LIFETIME_SECONDS } from '../../../src/registry/claims-input.ts';
import type { Subordinate } from '../../../src/registry/entities/read-subordinate.ts';
import { MasterKey } from '../../../src/signer/sealing.ts';
import { createSigner, type SealedKey, type Signer } from '../../../src/signer/signer.ts';
import type { Figure } from '../figure.ts';
import { inLanes, roundRobin, shareOfFloor } from '../rounds.ts';
import { authorityRecord, entityRecord, generatePublicKeys, organisationRecord } from '../samples/registry-records.ts';

const SUBORDINATES = 1000;
const CONCURRENCY = 16;
const HOUSE_RULES: HouseRules = { maxLifetimeSeconds: LIFETIME_SECONDS.max };

export const fetchSigning: Figure = {
  name: 'fetch_signing',
  summary: `claims → lint → sign from records in memory, statements a second over bare jose signatures, ${CONCURRENCY} at a time`,
  unit: 'ratio',
  target: 0.6,
  better: 'higher',
  async measure(bench) {
    const authority = authorityRecord(new Date());
    const subordinates = await subordinatesOf(authority);
    const signer = createSigner(new MasterKey(randomBytes(32)));
    const key: SealedKey = await signer.generateKey(authority.id, 'ES256');
    const next = roundRobin(subordinates);
    const example = await sign(authority, next(), key, signer);
    const measurement = await shareOfFloor(
      bench,
      inLanes(CONCURRENCY, () => sign(authority, next(), key, signer)),
      inLanes(CONCURRENCY, await bareSignature(example)),
    );
    return { ...measurement, details: { ...measurement.details, concurrency: CONCURRENCY, bytes: example.length } };
  },
};

async function subordinatesOf(authority: Authority): Promise<Subordinate[]> {
  const organisation = organisationRecord(authority.id, 0, authority.createdAt);
  const keys = await generatePublicKeys(SUBORDINATES);
  return keys.map((jwk, index) => ({
    entity: entityRecord(organisation, index, authority.createdAt),
    keys: [{ jwk, expiresAt: null }],
    stored: undefined,
  }));
}

/** As the statement issuer does once it has read the records. */
async function sign(authority: Authority, subordinate: Subordinate, key: SealedKey, signer: Signer): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const draft = {
    claims: buildSubordinateStatement(authority, subordinate, now),
    lifetimeSeconds: authority.statementLifetimeSeconds,
    notAfter: firstKeyExpiry(subordinate, now),
  };
  const { jwt } = await signStatement(draft, key, now, { signer, random: Math.random, houseRules: HOUSE_RULES });
  return jwt;
}

/** The payload and header of an example signed over and over, both ready as they are. */
async function bareSignature(example: string): Promise<() => Promise<string>> {
  const { privateKey }: { privateKey: CryptoKey } = await generateKeyPair('ES256');
  const header = { ...decodeProtectedHeader(example), alg: 'ES256' };
  const payload = Buffer.from(example.split('.')[1] ?? '', 'base64url');
  return () => new CompactSign(payload).setProtectedHeader(header).sign(privateKey);
}
