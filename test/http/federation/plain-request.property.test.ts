/** Plain requests: what is read of them quickly is what the whole request says. */
import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { plainRequestOf, soleParameter } from '../../../src/http/federation/plain-request.ts';

const writtenByClients = fc
  .array(fc.tuple(fc.constantFrom('sub', 'subs', 'iss'), fc.oneof(fc.webUrl(), fc.string({ unit: 'binary' }))), {
    maxLength: 3,
  })
  .map((pairs) => new URLSearchParams(pairs).toString());
const writtenByHand = fc.string({ unit: fc.constantFrom(...'sub=&?%;+[]/.:#é"\\ 0aF27') }).map((rest) => `sub=${rest}`);

it('a parameter that stands alone is what all of the query says it is, or not read quickly', () => {
  fc.assert(
    fc.property(fc.oneof(writtenByClients, writtenByHand), (query) => {
      const quickly = soleParameter(query, 'sub');
      if (quickly !== undefined) expect(new URLSearchParams(query).getAll('sub')).toEqual([quickly]);
    }),
    { numRuns: 2000 },
  );
});

it('an Entity Identifier in a query, as clients encode it, is read quickly', () => {
  const query = new URLSearchParams({ sub: 'https://rp.example/a-b_c~d' }).toString();
  expect(soleParameter(query, 'sub')).toBe('https://rp.example/a-b_c~d');
});

it.each(['', 'sub=', 'sub', 'sub=a&sub=b', 'sub=a+b', 'sub=%ff', 'sub=%', 'xsub=a', 'x=1&sub=a'])(
  'the query %s is not read quickly',
  (query) => expect(soleParameter(query, 'sub')).toBeUndefined(),
);

function request(rawHeaders: readonly string[], method = 'GET'): IncomingMessage {
  return { method, url: '/federation/fetch?sub=x', rawHeaders } as IncomingMessage;
}

it('a GET with host, and with header fields that no answer depends on, is plain', () => {
  const fields = ['User-Agent', 'x', 'Host', 'ta.example:8080', 'Accept', '*/*', 'Accept-Language', 'de'];
  expect(plainRequestOf(request(fields))).toEqual({ host: 'ta.example:8080', target: '/federation/fetch?sub=x' });
});

it.each([
  ['another method', ['Host', 'ta.example'], 'POST'],
  ['HEAD', ['Host', 'ta.example'], 'HEAD'],
  ['credentials', ['Host', 'ta.example', 'AUTHORIZATION', 'Bearer x'], 'GET'],
  ['a condition', ['if-None-match', '"x"', 'Host', 'ta.example'], 'GET'],
  ['two hosts', ['Host', 'ta.example', 'host', 'other.example'], 'GET'],
  ['no host', ['Accept', '*/*'], 'GET'],
])('a request with %s is not plain', (_, fields, method) => {
  expect(plainRequestOf(request(fields, method))).toBeUndefined();
});
