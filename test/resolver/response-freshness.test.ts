import { describe, expect, it } from 'vitest';
import { freshnessOf } from '../../src/resolver/response-freshness.ts';

describe('an answer', () => {
  it.each<[string, Record<string, string>, number | undefined, boolean]>([
    ['says nothing', {}, undefined, false],
    ['is fresh for a while', { 'cache-control': 'public, max-age=60' }, 60, false],
    ['is older already', { 'cache-control': 'max-age=60', age: '45' }, 15, false],
    ['is older than that', { 'cache-control': 'max-age=60', age: '90' }, 0, false],
    ['has a time for shared caches', { 'cache-control': 'max-age=60, s-maxage=5' }, 5, false],
    ['writes in capitals and quotes', { 'cache-control': 'Max-Age="30"' }, 30, false],
    ['says two times: the first counts', { 'cache-control': 'max-age=10, max-age=900' }, 10, false],
    ['must be asked about each time', { 'cache-control': 'no-cache, max-age=60' }, 0, false],
    ['is for one caller', { 'cache-control': 'private, max-age=60' }, 0, false],
    ['must not be kept', { 'cache-control': 'no-store' }, 0, true],
    ['says no number', { 'cache-control': 'max-age=forever' }, 0, false],
    ['says a negative number', { 'cache-control': 'max-age=-5' }, 0, false],
    ['says a number beyond all bounds', { 'cache-control': 'max-age=99999999999999' }, 0, false],
  ])('that %s', (_, headers, seconds, isTransient) => {
    expect(freshnessOf({ headers: new Map(Object.entries(headers)) })).toEqual({ seconds, isTransient });
  });
});
