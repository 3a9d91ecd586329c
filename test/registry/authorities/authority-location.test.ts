import { describe, expect, it } from 'vitest';
import { authorityLocation, checkAuthorityPath } from '../../../src/registry/authorities/authority-location.ts';
import { RegistryError } from '../../../src/registry/registry-error.ts';

describe('the location of an authority', () => {
  it.each([
    ['https://trust.example', 'trust.example'],
    ['https://trust.example/', 'trust.example'],
    ['https://TRUST.Example/Path', 'trust.example/Path'],
    ['https://trust.example:443/a', 'trust.example/a'],
    ['https://trust.example:8443/a/b/', 'trust.example:8443/a/b'],
    ['http://localhost:8080/a', 'localhost:8080/a'],
  ])('of %s is %s', (entityIdentifier, location) => {
    expect(authorityLocation(entityIdentifier)).toBe(location);
  });
});

describe('the path of an authority', () => {
  it.each([
    'https://trust.example',
    'https://trust.example/',
    'https://trust.example/sector/health',
    'https://trust.example/A_b~c.d-1/',
    // Reserved first segments are free further down, and names only begin like reserved ones.
    'https://trust.example/sector/api',
    'https://trust.example/apis',
  ])('may be that of %s', (entityIdentifier) => {
    expect(() => checkAuthorityPath(entityIdentifier)).not.toThrow();
  });

  it.each([
    'https://trust.example/api',
    'https://trust.example/api/v1',
    'https://trust.example/docs/',
    'https://trust.example/healthz',
    'https://trust.example/readyz',
    'https://trust.example/metrics',
    'https://trust.example/openapi.yaml',
    'https://trust.example/participants',
    'https://trust.example/federation',
    'https://trust.example/sector/federation',
    'https://trust.example/sector/.well-known',
    'https://trust.example/.well-known/openid-federation',
    'https://trust.example//sector',
    'https://trust.example/sector//',
    'https://trust.example/sector/../api',
    'https://trust.example/.',
    'https://trust.example/%61pi',
    'https://trust.example/sector%2Fapi',
    'https://trust.example/sector;v=1',
  ])('must not be that of %s', (entityIdentifier) => {
    expect(refusalOf(entityIdentifier)).toEqual(['validation_failed', '/entityIdentifier']);
  });
});

function refusalOf(entityIdentifier: string): (string | undefined)[] {
  try {
    checkAuthorityPath(entityIdentifier);
  } catch (error) {
    if (error instanceof RegistryError) return [error.code, error.details.errors?.[0]?.pointer];
    throw error;
  }
  return [];
}
