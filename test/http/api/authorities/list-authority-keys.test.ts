import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

describe('200', () => {
  it('shows public halves only', async () => {
    const authority = await api.service.authority();
    const { body } = await api.auditor.get(`/api/v1/authorities/${authority.id}/keys`);
    expect(body.items).toEqual([
      {
        kid: expect.any(String),
        alg: 'ES256',
        purpose: 'federation',
        state: 'active',
        publicJwk: expect.objectContaining({ kty: 'EC', crv: 'P-256', kid: body.items[0].kid }),
        custody: 'sealed',
        createdAt: '2027-01-15T08:00:00.000Z',
        activateAfter: null,
        activatedAt: '2027-01-15T08:00:00.000Z',
        retiredAt: null,
        removeAfter: null,
        expiresAt: null,
        revokedAt: null,
        revocationReason: null,
        superiors: [],
      },
    ]);
    expect(Object.keys(body.items[0].publicJwk)).not.toContain('d');
  });
});

describe('404', () => {
  it('knows no such authority', async () => {
    expect(refusalOf(await api.auditor.get(`/api/v1/authorities/${NO_SUCH_ID}/keys`))).toBe('404 not_found');
  });
});
