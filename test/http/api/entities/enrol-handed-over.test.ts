import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';
import { signJwt, type TestKey, testKey } from '../../../support/keys.ts';
import { freshIdentifier } from '../../../support/registry.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/entities';
const { service } = api;
const authority = await service.authority();
const { id: organisationId } = await service.organisation(authority);
const key = await testKey('ES256', 50);

/** A complete hand-over of one key by the right registrar. */
async function handOver(signer: TestKey = key): Promise<Record<string, unknown>> {
  const entityIdentifier = freshIdentifier('silent');
  const { body } = await api.registrar.post('/api/v1/enrolment-challenges', {
    authorityId: authority.id,
    entityIdentifier,
  });
  const claims = { iss: entityIdentifier, aud: authority.entityIdentifier, nonce: body.challenge };
  return {
    organisationId,
    entityIdentifier,
    entityTypes: ['openid_relying_party'],
    jwks: { keys: [key.jwk] },
    challenge: body.challenge,
    keyProofs: [await signJwt(signer, 'holdfast-key-proof+jwt', claims)],
    outOfBandCheck: 'Called the number in the contract.',
  };
}

describe('201', () => {
  it('records keys that were proven and compared', async () => {
    const { status, body } = await api.registrar.post(PATH, await handOver());
    expect(status).toBe(201);
    expect(body).toMatchObject({
      enrolment: 'handed_over',
      state: 'pending',
      entityTypes: ['openid_relying_party'],
      jwks: { keys: [key.jwk] },
      checks: [
        { check: 'key_proof', outcome: 'passed' },
        { check: 'out_of_band', outcome: 'passed', detail: 'Called the number in the contract.' },
      ],
    });
  });

  it('replays with an Idempotency-Key although the challenge is spent', async () => {
    const input = await handOver();
    const header = { 'idempotency-key': 'hand over' };
    const first = await api.registrar.post(PATH, input, header);
    expect((await api.registrar.post(PATH, input, header)).body.id).toBe(first.body.id);
  });
});

describe('400', () => {
  it('refuses a proof by another key', async () => {
    const answer = await api.registrar.post(PATH, await handOver(await testKey('ES256', 51)));
    expect(refusalOf(answer)).toBe('400 validation_failed /keyProofs/0');
  });

  describe('for a private key', () => {
    afterEach(() => vi.restoreAllMocks());

    it.each([
      ['alone', (secret: object) => ({ jwks: { keys: [secret] } })],
      ['behind a public one', (secret: object) => ({ jwks: { keys: [key.jwk, { ...secret, kid: 'second' }] } })],
      ['in metadata', (secret: object) => ({ metadata: { openid_relying_party: { jwks: { keys: [secret] } } } })],
    ])('shows and keeps nothing of it: %s', async (_where, part) => {
      const written: unknown[] = [];
      for (const stream of [process.stdout, process.stderr]) {
        vi.spyOn(stream, 'write').mockImplementation((text) => written.push(text) > 0);
      }
      const answer = await api.registrar.post(
        PATH,
        { ...(await handOver()), ...part(key.privateJwk) },
        { 'idempotency-key': `private ${_where}` },
      );
      const seen = JSON.stringify([answer.body, written.map(String), service.failures, await service.auditAfter()]);
      vi.restoreAllMocks();
      expect(answer.status).toBe(400);
      expect(answer.body.detail).toMatch(/private/);
      expect(seen).not.toContain(String(key.privateJwk['d']));
    });
  });
});

describe('403', () => {
  it('is for registrars, not even for admins', async () => {
    expect(refusalOf(await api.admin.post(PATH, await handOver()))).toBe('403 role_missing');
  });
});

describe('409', () => {
  it('takes a challenge once, and for its entity only', async () => {
    const input = await handOver();
    await api.registrar.post(PATH, input);
    const { body } = await api.registrar.get(`${PATH}?entityIdentifier=${input['entityIdentifier']}`);
    await api.approver.post(`${PATH}/${body.items[0].id}/reject`, { reason: 'again' });
    expect(refusalOf(await api.registrar.post(PATH, input))).toBe('409 challenge_invalid');
  });
});
