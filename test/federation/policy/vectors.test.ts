/** Every vector of the shared sample: two policies, the merged one, metadata and what becomes of it. @see OIDFED §6.1.4 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FederationError } from '../../../src/federation/errors.ts';
import type { JsonObject } from '../../../src/federation/json.ts';
import { applyMetadataPolicy } from '../../../src/federation/policy/apply-policy.ts';
import {
  type EntityTypePolicy,
  type MetadataPolicy,
  parseMetadataPolicy,
} from '../../../src/federation/policy/parse-policy.ts';
import { resolveMetadataPolicy } from '../../../src/federation/policy/resolve-policy.ts';
import { asSets, ENTITY_TYPE, sourcesOf } from '../../support/policies.ts';

interface Vector {
  n: number;
  combination: string[];
  TA: EntityTypePolicy;
  INT: EntityTypePolicy;
  merged?: EntityTypePolicy;
  metadata: JsonObject;
  resolved?: JsonObject;
  error?: 'invalid_policy' | 'invalid_metadata';
}

const FILE = resolve(import.meta.dirname, '../../../../shared/vectors/metadata-policy-sample.json');
const IS_PRESENT = existsSync(resolve(import.meta.dirname, '../../../../shared'));

function resolveVector(vector: Vector): MetadataPolicy {
  const policies = [vector.TA, vector.INT].map((policy) => parseMetadataPolicy({ [ENTITY_TYPE]: policy }));
  return resolveMetadataPolicy(sourcesOf(policies));
}

function applyVector(vector: Vector): JsonObject | undefined {
  return applyMetadataPolicy(resolveVector(vector), { [ENTITY_TYPE]: vector.metadata })[ENTITY_TYPE];
}

function thrownBy(action: () => unknown): FederationError | undefined {
  try {
    action();
  } catch (error) {
    return error as FederationError;
  }
  return undefined;
}

function title(vector: Vector): string {
  return `vector ${vector.n}: ${vector.combination.join(' + ')}`;
}

if (IS_PRESENT) {
  describe('metadata policy vectors', () => {
    const vectors: Vector[] = IS_PRESENT ? JSON.parse(readFileSync(FILE, 'utf8')) : [];
    const legal = vectors.filter((vector) => vector.error === undefined);
    const badPolicy = vectors.filter((vector) => vector.error === 'invalid_policy');
    const badMetadata = vectors.filter((vector) => vector.error === 'invalid_metadata');

    it('are all 504, each of a known outcome', () => {
      expect(vectors).toHaveLength(504);
      expect(legal.length + badPolicy.length + badMetadata.length).toBe(504);
      expect(Math.min(legal.length, badPolicy.length, badMetadata.length)).toBeGreaterThan(0);
    });

    it.each(legal.map((vector) => [title(vector), vector] as const))(
      '[OIDFED-6.1.4-5] resolves %s',
      (_title, vector) => {
        expect(asSets(resolveVector(vector)[ENTITY_TYPE] ?? {})).toEqual(asSets(vector.merged ?? {}));
        expect(asSets(applyVector(vector) ?? {})).toEqual(asSets(vector.resolved ?? {}));
      },
    );

    it.each(badPolicy.map((vector) => [title(vector), vector] as const))(
      '[OIDFED-6.1.4-8] refuses the policies of %s',
      (_title, vector) => {
        const error = thrownBy(() => resolveVector(vector));
        expect(error?.at).toMatch(/^(ES\[1\] )?\/metadata_policy\//);
        expect(error?.reason).toMatch(/^policy_(conflict|combination_forbidden|operator_value_invalid)$/);
      },
    );

    it.each(badMetadata.map((vector) => [title(vector), vector] as const))(
      '[OIDFED-6.1.4-10] refuses the metadata of %s',
      (_title, vector) => {
        expect(asSets(resolveVector(vector)[ENTITY_TYPE] ?? {})).toEqual(asSets(vector.merged ?? {}));
        const error = thrownBy(() => applyVector(vector));
        expect(error?.at).toMatch(/^\/metadata\//);
        expect(error?.reason).toMatch(/^policy_(value_not_allowed|essential_missing|parameter_type_unsupported)$/);
      },
    );
  });
} else {
  it('NOTE: metadata policy vectors were not run, there is no shared folder beside this checkout', () => {
    expect(existsSync(FILE)).toBe(false);
  });
}
