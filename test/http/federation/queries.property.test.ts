/** Federation endpoints on any query whatsoever: an answer or an error of the standard, never a failure of ours. @see OIDFED §8, §8.9 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WIRE } from '../../../src/federation/errors.ts';
import { FEDERATION_ENDPOINT_NAMES } from '../../../src/issuance/authority-endpoints.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { startTestService, type TestService, urlOf } from '../../support/service.ts';

let service: TestService;
let authority: Authority;

beforeAll(async () => {
  service = await startTestService('embedded', { resolveAnonymous: 'refuse' });
  authority = await service.authority();
  await service.entity(await service.organisation(authority));
});

afterAll(() => service[Symbol.asyncDispose]());

const NAMES = ['sub', 'iss', 'trust_anchor', 'entity_type', 'trust_marked', 'trust_mark_type', 'intermediate', 'x'];
const values = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    'true',
    'false',
    'TRUE',
    'null',
    '[]',
    '../..',
    'https://',
    'https://a.example',
    'http://[::1',
    '\0',
  ),
  fc.constantFrom('__proto__', 'constructor', "' OR 1=1 --", '%', '%00', '\ud800', 'x'.repeat(3000)),
);
const parameters = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...NAMES), fc.string()), values), { maxLength: 6 });
/** As clients write it, and as nobody should. */
const queries = fc.oneof(
  parameters.map((pairs) => new URLSearchParams(pairs).toString()),
  fc.string({ unit: fc.constantFrom(...'sub=&?%;+[]/.:#é"\\ 0aF') }),
  fc.constantFrom(
    'sub',
    'sub=',
    '&&&',
    '=',
    '%',
    'sub=%',
    'sub=%ff',
    'sub=%00',
    `sub=${'a'.repeat(8000)}`,
    '&'.repeat(4000),
  ),
);

describe.each(FEDERATION_ENDPOINT_NAMES)('the endpoint %s', (endpoint) => {
  it('[OIDFED-8.9-1] answers any query with 200 or an error of the standard', async () => {
    await fc.assert(
      fc.asyncProperty(queries, async (query) => {
        const response = await service.ask(authority, endpoint, query);
        const body = await response.text();
        if (response.status !== 200) {
          expect(response.status).toBeLessThan(500);
          expect(Object.keys(WIRE)).toContain(JSON.parse(body).error);
        }
        expect(service.failures).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('[OIDFED-8.9-1] keeps its authority in mind, whatever the query says', async () => {
    const plain = await service.fetch(urlOf(authority, endpoint));
    const odd = await service.fetch(urlOf(authority, endpoint, 'unknown=1&unknown=2&%5B%5D='));
    expect([odd.status, odd.headers.get('content-type')]).toEqual([plain.status, plain.headers.get('content-type')]);
  });
});
