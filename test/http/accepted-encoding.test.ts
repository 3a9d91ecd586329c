import { expect, it } from 'vitest';
import { prefersGzip } from '../../src/http/accepted-encoding.ts';

it.each([
  ['gzip', true],
  ['gzip, deflate, br', true],
  ['GZIP;q=0.5', true],
  ['x-gzip', true],
  ['*', true],
  ['br, *;q=0.1', true],
  ['gzip;q=1.000, identity;q=0.5', true],
  ['gzip ; q=0.8 , identity ; q=0.8', true],
  ['gzip;q=0', false],
  ['gzip;q=0, *', false],
  ['gzip;q=0.000', false],
  ['gzip;q=0.3, identity;q=0.7', false],
  ['identity', false],
  ['br', false],
  ['', false],
  ['gzip;q=2', false],
  ['gzip;q=', false],
  ['not gzip', false],
  [`${'br,'.repeat(1000)}gzip`, false],
  [undefined, false],
])('[F10] takes %j for a wish for gzip: %s', (header, expected) => {
  expect(prefersGzip(header)).toBe(expected);
});
