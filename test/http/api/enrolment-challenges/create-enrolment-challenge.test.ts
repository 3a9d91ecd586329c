import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/enrolment-challenges';
const { id: authorityId } = await api.service.authority();
const entityIdentifier = 'https://silent.partner.example';

describe('201', () => {
  it('makes another challenge each time, good for a day, and changes nothing', async () => {
    const seq = await api.service.seq();
    const [one, two] = await Promise.all([1, 2].map(() => api.registrar.post(PATH, { authorityId, entityIdentifier })));
    expect(one?.body).toEqual({
      challenge: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      expiresAt: '2027-01-16T08:00:00.000Z',
    });
    expect(two?.body.challenge).not.toBe(one?.body.challenge);
    expect(await api.service.seq()).toBe(seq);
  });
});

describe('400', () => {
  it('refuses what is no Entity Identifier', async () => {
    const answer = await api.registrar.post(PATH, { authorityId, entityIdentifier: 'https://x.example/#y' });
    expect(refusalOf(answer)).toBe('400 validation_failed /entityIdentifier');
  });
});

describe('403', () => {
  it('is for registrars only', async () => {
    for (const client of [api.admin, api.approver, api.auditor]) {
      expect(refusalOf(await client.post(PATH, { authorityId, entityIdentifier }))).toBe('403 role_missing');
    }
  });
});

describe('404', () => {
  it('knows no such authority', async () => {
    const answer = await api.registrar.post(PATH, { authorityId: NO_SUCH_ID, entityIdentifier });
    expect(refusalOf(answer)).toBe('404 not_found');
  });
});
