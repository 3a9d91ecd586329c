/** Gives every application of a stopped deployment a client certificate, and the deployment somebody who asks about them. */
import { generateKeyPairSync, hash, type KeyObject } from 'node:crypto';
import { asc } from 'drizzle-orm';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';
import type { JsonObject } from '../../../src/federation/json.ts';
import { recordId } from '../../../src/registry/record-id.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import { authorities } from '../../../src/storage/schema/authorities.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import { enforcementPoints } from '../../../src/storage/schema/enforcement-points.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { tokenIssuers } from '../../../src/storage/schema/token-issuers.ts';
import { certificate, type KeyPair, pem } from '../../../test/support/certificates.ts';

/** Certificates differ by their serial; a key costs more than all else about one. */
const KEY_POOL = 50;
const BATCH = 1_000;

export const ENFORCEMENT_POINT_TOKEN = `hfep_${'A'.repeat(43)}`;

export const TOKEN_AUDIENCE = 'https://api.example';
export const TOKEN_ISSUER = 'https://as.example';

export interface ShownCertificate {
  pem: string;
  x5tS256: string;
  entityIdentifier: string;
}

/** @returns the certificates, in the order of the applications */
export async function fillCertificates(databaseUrl: string, issuerKey: JWK): Promise<ShownCertificate[]> {
  await using database = await connectDatabase({ url: databaseUrl, role: 'owner' });
  const { db } = database;
  const now = new Date();
  const keys = await Promise.all(Array.from({ length: KEY_POOL }, makeKey));
  const owners = await db
    .select({ id: entities.id, authorityId: entities.authorityId, entityIdentifier: entities.entityIdentifier })
    .from(entities)
    .orderBy(asc(entities.id));
  const shown: ShownCertificate[] = [];
  for (let first = 0; first < owners.length; first += BATCH) {
    const rows = owners.slice(first, first + BATCH).map(({ id: entityId, authorityId, entityIdentifier }, offset) => {
      const key = keys[(first + offset) % KEY_POOL];
      if (key === undefined) throw new RangeError('the pool of keys is empty');
      const der = certificate({ key, serial: serialOf(first + offset) });
      const x5tS256 = hash('sha256', der, 'base64url');
      shown.push({ pem: pem(der), x5tS256, entityIdentifier });
      return {
        ...({ id: recordId(now.getTime(), 0), authorityId, entityId, kind: 'x509', usage: 'transport' } as const),
        ...({ source: 'external', possession: 'proven', environment: 'production', kid: key.kid } as const),
        ...{ publicJwk: key.jwk as JsonObject, spkiSha256: key.kid, x5tS256, x5c: [der.toString('base64')] },
        ...{ subject: 'CN=client', issuer: 'CN=client', serial: String(first + offset) },
        ...({ notBefore: new Date('2026-01-01'), notAfter: new Date('2036-01-01'), state: 'active' } as const),
        ...{ stateChangedAt: now, version: 1, createdAt: now },
      };
    });
    await db.insert(credentials).values(rows);
  }
  const [authority] = await db.select({ id: authorities.id }).from(authorities);
  if (authority === undefined) throw new Error('there is no authority');
  const ofAuthority = { authorityId: authority.id, version: 1, createdAt: now };
  await db.insert(enforcementPoints).values({
    ...{ id: recordId(now.getTime(), 0), ...ofAuthority, name: 'bench', mode: 'live', environment: 'production' },
    ...{ maxStalenessSeconds: 60, isTokenRequired: false, certificateHeader: 'rfc9440', allowSample: 0 },
    ...{ tokenDigest: hash('sha256', ENFORCEMENT_POINT_TOKEN, 'base64url'), state: 'active', stateChangedAt: now },
  });
  await db.insert(tokenIssuers).values({
    ...{ id: recordId(now.getTime(), 0), ...ofAuthority, issuer: TOKEN_ISSUER, audiences: [TOKEN_AUDIENCE] },
    ...{ jwks: { keys: [issuerKey as JsonObject] }, acceptsUntypedTokens: false, state: 'active' },
  });
  return shown;
}

async function makeKey(): Promise<KeyPair & { jwk: JWK; kid: string }> {
  const pair: { privateKey: KeyObject; publicKey: KeyObject } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = await exportJWK(pair.publicKey);
  return { ...pair, jwk, kid: await calculateJwkThumbprint(jwk) };
}

/** As many bytes for each. */
function serialOf(index: number): number[] {
  return [0x40, (index >> 16) & 0xff, (index >> 8) & 0xff, index & 0xff];
}
