/** Laws of policies: grouping of merges, order of array elements, repetition of application. @see OIDFED §6.1.3, §6.1.4 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FederationError } from '../../../src/federation/errors.ts';
import type { JsonValue } from '../../../src/federation/json.ts';
import type { Metadata } from '../../../src/federation/metadata/metadata.ts';
import { applyMetadataPolicy } from '../../../src/federation/policy/apply-policy.ts';
import { mergeForStatement } from '../../../src/federation/policy/merge-for-statement.ts';
import type { ParameterPolicy } from '../../../src/federation/policy/operator.ts';
import { type MetadataPolicy, parseMetadataPolicy } from '../../../src/federation/policy/parse-policy.ts';
import { resolveMetadataPolicy } from '../../../src/federation/policy/resolve-policy.ts';
import { asSets, ENTITY_TYPE, sourcesOf } from '../../support/policies.ts';

/** Few distinct values, so that sets overlap and policies meet. */
const ELEMENTS: JsonValue[] = ['a', 'b', 'c', 1, 2, { k: 1 }, { k: 2 }];
const arraysOf = (elements: JsonValue[]) => fc.array(fc.constantFrom(...elements), { maxLength: 4 });
const sets: fc.Arbitrary<JsonValue[]> = fc.oneof(
  { weight: 6, arbitrary: arraysOf(['a', 'b', 'c']) },
  { weight: 1, arbitrary: arraysOf([1, 2]) },
  { weight: 1, arbitrary: arraysOf([{ k: 1 }, { k: 2 }]) },
);
const values: fc.Arbitrary<JsonValue> = fc.oneof(sets, fc.constantFrom(...ELEMENTS, true, false));

const parameterPolicies: fc.Arbitrary<ParameterPolicy> = fc.record(
  {
    value: fc.oneof({ weight: 5, arbitrary: values }, { weight: 1, arbitrary: fc.constant(null) }),
    add: sets,
    default: values,
    one_of: sets,
    subset_of: sets,
    superset_of: sets,
    essential: fc.boolean(),
    unknown: values,
  },
  { requiredKeys: [] },
);
const parameters = fc.constantFrom('parameter', 'scope', 'other');
const drafts = fc.dictionary(parameters, parameterPolicies, { maxKeys: 2 });
/** Policies that are legal by themselves. */
const policies: fc.Arbitrary<MetadataPolicy> = drafts
  .map((draft) => ({ [ENTITY_TYPE]: draft }))
  .filter((draft) => outcomeOf(() => parseMetadataPolicy(draft)) !== REFUSED);
const metadatas: fc.Arbitrary<Metadata> = fc
  .dictionary(parameters, values, { maxKeys: 3 })
  .map((declared) => ({ [ENTITY_TYPE]: declared }));

const REFUSED = 'refused';

/** The result with arrays as sets, or that there is none. */
function outcomeOf(action: () => MetadataPolicy | Metadata): JsonValue {
  try {
    const result = action();
    return Object.fromEntries(Object.entries(result).map(([name, members]) => [name, asSets(members)]));
  } catch (error) {
    if (error instanceof FederationError) return REFUSED;
    throw error;
  }
}

const resolve = (...list: MetadataPolicy[]): MetadataPolicy => resolveMetadataPolicy(sourcesOf(list));

/** The same value with the elements of its arrays turned round, some of them twice. */
function shuffled(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return [...value, ...value.slice(0, 1)].toReversed();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shuffled(member)]));
}

/** Fails a property that never got to see what it is about. */
function seen(wanted: number, property: (count: () => void) => void): void {
  let count = 0;
  property(() => {
    count++;
  });
  expect(count).toBeGreaterThan(wanted);
}

describe('laws of metadata policies', () => {
  it('[OIDFED-6.1.4-5] merging three policies gives the same however they are grouped, or fails either way', () => {
    seen(50, (count) => {
      fc.assert(
        fc.property(policies, policies, policies, (top, middle, low) => {
          const fromAbove = outcomeOf(() => resolve(resolve(top, middle), low));
          expect(outcomeOf(() => resolve(top, middle, low))).toEqual(fromAbove);
          expect(outcomeOf(() => resolve(top, resolve(middle, low)))).toEqual(fromAbove);
          if (fromAbove !== REFUSED) count();
        }),
        { numRuns: 1000 },
      );
    });
  });

  it('[OIDFED-6.1.4-5] a chain whose neighbours state one merged policy resolves to the same metadata', () => {
    seen(50, (count) => {
      fc.assert(
        fc.property(policies, policies, policies, metadatas, (first, second, third, metadata) => {
          const applied = (policy: () => MetadataPolicy): JsonValue =>
            outcomeOf(() => applyMetadataPolicy(policy(), metadata));
          const merged = (...list: MetadataPolicy[]): MetadataPolicy => mergeForStatement(sourcesOf(list));
          const alone = applied(() => resolve(first, second, third));
          expect(applied(() => resolve(merged(first, second), third))).toEqual(alone);
          expect(applied(() => resolve(first, merged(second, third)))).toEqual(alone);
          expect(applied(() => resolve(merged(first, second, third)))).toEqual(alone);
          if (alone !== REFUSED) count();
        }),
        { numRuns: 500 },
      );
    });
  });

  it('[OIDFED-6.1.4-5] merging a policy with itself changes nothing', () => {
    fc.assert(
      fc.property(policies, (policy) => {
        fc.pre(!JSON.stringify(policy).includes('"one_of":[]'));
        expect(outcomeOf(() => resolve(policy, policy))).toEqual(outcomeOf(() => resolve(policy)));
      }),
      { numRuns: 500 },
    );
  });

  it('[OIDFED-6.1.3.1-1] applying a policy twice is applying it once', () => {
    seen(50, (count) => {
      fc.assert(
        fc.property(policies, metadatas, (policy, metadata) => {
          const once = outcomeOf(() => applyMetadataPolicy(resolve(policy), metadata));
          if (once === REFUSED) return;
          const twice = () => applyMetadataPolicy(resolve(policy), applyMetadataPolicy(resolve(policy), metadata));
          expect(outcomeOf(twice)).toEqual(once);
          count();
        }),
        { numRuns: 1000 },
      );
    });
  });

  it('[OIDFED-6.1.3-4] order and duplicates of array elements never matter', () => {
    seen(50, (count) => {
      fc.assert(
        fc.property(policies, policies, metadatas, (superior, subordinate, metadata) => {
          const turned = [superior, subordinate].map((policy) => parseMetadataPolicy(shuffled(policy)));
          const plain = outcomeOf(() => applyMetadataPolicy(resolve(superior, subordinate), metadata));
          const other = () => applyMetadataPolicy(resolve(...turned), shuffled(metadata) as Metadata);
          expect(sortScope(outcomeOf(other))).toEqual(sortScope(plain));
          if (plain !== REFUSED) count();
        }),
        { numRuns: 1000 },
      );
    });
  });

  it('[OIDFED-6.1.3-2] no result holds null', () => {
    fc.assert(
      fc.property(policies, metadatas, (policy, metadata) => {
        const result = outcomeOf(() => applyMetadataPolicy(resolve(policy), metadata));
        expect(JSON.stringify(result)).not.toContain('null');
      }),
      { numRuns: 500 },
    );
  });

  it('[OIDFED-6.1.4-8] refusals of resolution and of application never look alike', () => {
    fc.assert(
      fc.property(policies, policies, metadatas, (superior, subordinate, metadata) => {
        let isResolved = false;
        try {
          const policy = resolve(superior, subordinate);
          isResolved = true;
          applyMetadataPolicy(policy, metadata);
        } catch (error) {
          const { at } = error as FederationError;
          expect(at).toMatch(isResolved ? /^\/metadata\// : /^ES\[1\] \/metadata_policy\//);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** A resolved scope is a string; its words are a set all the same. */
function sortScope(outcome: JsonValue): JsonValue {
  if (typeof outcome !== 'object') return outcome;
  return JSON.parse(JSON.stringify(outcome), (name, value) =>
    name === 'scope' && typeof value === 'string' ? [...new Set(value.split(' '))].sort() : value,
  );
}
