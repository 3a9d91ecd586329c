import { describe, expect, it } from 'vitest';
import { FederationError, REASONS, type Reason, WIRE } from '../../src/federation/errors.ts';
import { federationMethodNotAllowed, toFederationErrorResponse } from '../../src/http/federation-error-response.ts';
import { CustodyUnavailable } from '../../src/signer/custody/key-custody.ts';
import { StaleStateError } from '../../src/storage/change-feed.ts';

const SECRET = 'password=hunter2';

async function bodyOf(response: Response): Promise<{ error: string; error_description: string }> {
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'ETag, Retry-After',
  });
  const body: { error: string; error_description: string } = JSON.parse(await response.text());
  expect(Object.keys(body)).toEqual(['error', 'error_description']);
  // Characters that RFC 6749 §5.2 permits.
  expect(body.error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  return body;
}

describe('an error of a federation endpoint', () => {
  it.each(Object.keys(REASONS) as Reason[])(
    '[OIDFED-8.9-1] [OIDFED-8.9-2] [OIDFED-8-5] [OIDFED-8-9] has body and status of its code: %s',
    async (reason) => {
      const { wire } = REASONS[reason];
      const response = toFederationErrorResponse(new FederationError(reason, 'because of "this"', '/metadata'));
      expect(response.status).toBe(WIRE[wire]);
      expect((await bodyOf(response)).error).toBe(wire);
      expect(response.headers.get('retry-after')).toBe(wire === 'temporarily_unavailable' ? '1' : null);
    },
  );

  it('says the place within claims', async () => {
    const { error_description } = await bodyOf(
      toFederationErrorResponse(new FederationError('metadata_null', 'must not be null', 'ES[0] /metadata/a')),
    );
    expect(error_description).toBe('ES[0] /metadata/a: must not be null');
  });

  it.each([new Error(SECRET), SECRET, new FederationError('lint_failed', SECRET)])(
    'shows nothing of a fault of ours: %s',
    async (error) => {
      const response = toFederationErrorResponse(error);
      expect([response.status, await bodyOf(response)]).toEqual([
        500,
        { error: 'server_error', error_description: 'something went wrong here' },
      ]);
    },
  );

  it('is temporary when the state is stale, or the database or a token away', async () => {
    const lost = Object.assign(new Error(SECRET), { code: 'ECONNRESET' });
    for (const error of [
      new StaleStateError('stale'),
      new Error('query', { cause: lost }),
      new CustodyUnavailable(SECRET),
    ]) {
      const response = toFederationErrorResponse(error);
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
      expect((await bodyOf(response)).error).toBe('temporarily_unavailable');
    }
  });

  it('keeps what a caller put into it short and harmless', async () => {
    const error = new FederationError('entity_identifier_invalid', `\u0000\\"ü${'x'.repeat(10_000)}`);
    const { error_description } = await bodyOf(toFederationErrorResponse(error));
    expect(error_description.length).toBeLessThanOrEqual(500);
  });
});

describe('a method that is not served', () => {
  it('[OIDFED-8.8-5] is 405 invalid_request with the methods served', async () => {
    const response = federationMethodNotAllowed(['GET', 'HEAD']);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await bodyOf(response)).error).toBe('invalid_request');
  });
});
