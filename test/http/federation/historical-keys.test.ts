import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/federation/json.ts';
import { TYP } from '../../../src/federation/media-types.ts';
import { parseSignedJwt, verifySignature } from '../../../src/federation/signature.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { authorityKeys } from '../../../src/storage/schema/authority-keys.ts';
import { claimsOf, headerOf, jwtOf } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { NOW } from '../../support/federation.ts';
import { nextId, testSigner } from '../../support/registry.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const MEDIA_TYPE = 'application/jwk-set+jwt';

describe.each(DATABASE_KINDS)('historical keys on the %s database', (kind) => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService(kind);
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  async function historicalKeys(authority: Authority): Promise<string> {
    return await jwtOf(await service.ask(authority, 'historicalKeys'), MEDIA_TYPE);
  }

  /** A key of the authority's past, as a rollover long ago leaves it. */
  async function formerKey(authority: Authority, end: Partial<typeof authorityKeys.$inferInsert>): Promise<JsonObject> {
    const key = await testSigner.generateKey(authority.id, 'ES256');
    const publicJwk = key.publicJwk as JsonObject;
    await service.db.insert(authorityKeys).values({
      id: nextId(),
      authorityId: authority.id,
      kid: key.kid,
      alg: key.alg,
      purpose: 'federation',
      publicJwk,
      state: 'historical',
      createdAt: new Date((NOW - 86_400) * 1000),
      ...end,
    });
    return publicJwk;
  }

  it('[OIDFED-8.7-1] [OIDFED-15-1] are signed with a current key', async () => {
    const authority = await service.authority();
    const jwt = await historicalKeys(authority);
    const jwks = await service.jwks(authority);
    expect(headerOf(jwt)).toEqual({ typ: 'jwk-set+jwt', alg: 'ES256', kid: jwks.keys[0]?.kid });
    await verifySignature(parseSignedJwt(jwt, TYP.jwkSet), jwks);
  });

  it('[OIDFED-8.7-4] are none while every key is in use', async () => {
    const authority = await service.authority();
    expect(claimsOf(await historicalKeys(authority))).toEqual({
      iss: authority.entityIdentifier,
      iat: service.clock.now(),
      keys: [],
    });
  });

  it('[OIDFED-8.7-2] [OIDFED-8.7-3] [OIDFED-8.7-4] are the former ones, each with its end, and why if there is a why', async () => {
    const authority = await service.authority();
    const other = await service.authority();
    const expiresAt = new Date((NOW - 100) * 1000);
    const revokedAt = new Date((NOW - 200) * 1000);
    const retired = await formerKey(authority, { expiresAt });
    const compromised = await formerKey(authority, {
      state: 'revoked',
      expiresAt,
      revokedAt,
      revocationReason: 'compromised',
    });
    const revoked = await formerKey(authority, { state: 'revoked', revokedAt });
    await formerKey(other, { expiresAt });
    await service.restart();
    const iat = NOW - 86_400;
    expect(claimsOf(await historicalKeys(authority))).toMatchObject({
      keys: [
        { ...retired, iat, exp: NOW - 100 },
        { ...compromised, iat, exp: NOW - 100, revoked: { revoked_at: NOW - 200, reason: 'compromised' } },
        { ...revoked, iat, exp: NOW - 200, revoked: { revoked_at: NOW - 200 } },
      ],
    });
    const { jwks } = claimsOf(
      await jwtOf(await service.ask(authority, 'configuration'), 'application/entity-statement+jwt'),
    );
    expect(jwks).toEqual({ keys: (await service.jwks(authority)).keys.slice(0, 1) });
  });

  it('are the same bytes after a restart, and others once the keys changed', async () => {
    const authority = await service.authority();
    const first = await historicalKeys(authority);
    await service.restart();
    expect(await historicalKeys(authority)).toBe(first);
    const { kid } = await formerKey(authority, { expiresAt: new Date((NOW - 100) * 1000) });
    await service.restart();
    expect(claimsOf(await historicalKeys(authority))).toMatchObject({ keys: [{ kid }] });
  });

  it('are the same bytes for a day', async () => {
    const authority = await service.authority();
    const first = await historicalKeys(authority);
    service.clock.advance(86_399);
    expect(await historicalKeys(authority)).toBe(first);
    service.clock.advance(1);
    expect(claimsOf(await historicalKeys(authority))).toMatchObject({ iat: service.clock.now() });
  });
});
