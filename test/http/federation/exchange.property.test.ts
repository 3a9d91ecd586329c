/** One request to a federation endpoint: its parameters read quickly are its parameters. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Exchange } from '../../../src/http/federation/exchange.ts';

const ENDPOINT = 'https://ta.example/federation/fetch';

function exchangeOf(query: string): Exchange {
  return new Exchange(new Request(`${ENDPOINT}?${query}`), undefined);
}

const writtenByClients = fc
  .array(fc.tuple(fc.constantFrom('sub', 'subs', 'iss'), fc.oneof(fc.webUrl(), fc.string({ unit: 'binary' }))), {
    maxLength: 3,
  })
  .map((pairs) => new URLSearchParams(pairs).toString());
const writtenByHand = fc.string({ unit: fc.constantFrom(...'sub=&?%;+[]/.:#é"\\ 0aF27') }).map((rest) => `sub=${rest}`);

it('a parameter that stands alone is what all of the query says it is, or not read quickly', () => {
  fc.assert(
    fc.property(fc.oneof(writtenByClients, writtenByHand), (query) => {
      const exchange = exchangeOf(query);
      const quickly = exchange.soleParameter('sub');
      if (quickly !== undefined) expect(exchange.parameters.getAll('sub')).toEqual([quickly]);
    }),
    { numRuns: 2000 },
  );
});

it('an Entity Identifier in a query, as clients encode it, is read quickly', () => {
  const query = new URLSearchParams({ sub: 'https://rp.example/a-b_c~d' }).toString();
  expect(exchangeOf(query).soleParameter('sub')).toBe('https://rp.example/a-b_c~d');
});

it.each(['', 'sub=', 'sub', 'sub=a&sub=b', 'sub=a+b', 'sub=%ff', 'sub=%', 'xsub=a', 'x=1&sub=a'])(
  'the query %s is not read quickly',
  (query) => expect(exchangeOf(query).soleParameter('sub')).toBeUndefined(),
);
