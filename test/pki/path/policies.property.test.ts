import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import {
  ANY_POLICY,
  type Authority,
  authorityKeyId,
  below,
  inhibitAnyPolicy,
  leafWith,
  opensslVerdict,
  ourVerdict,
  policies,
  policyConstraints,
  policyMappings,
  root,
  subjectKeyId,
} from '../../support/certificate-paths.ts';
import { distinguishedName, ecKey, type TestExtension } from '../../support/certificates.ts';
import { TemporaryFolder } from '../../support/temporary-folder.ts';

const POLICIES = ['1.2.3.1', '1.2.3.2', '1.2.3.3'] as const;
const policy = fc.constantFrom(...POLICIES);
const count = fc.option(fc.nat(2), { nil: undefined, freq: 2 });

const level = fc.record({
  asserted: fc.uniqueArray(fc.constantFrom(...POLICIES, ANY_POLICY)),
  mapped: fc.oneof(
    fc.constant([]),
    fc.uniqueArray(fc.tuple(policy, policy), { maxLength: 2, selector: (pair) => pair.join() }),
  ),
  explicit: count,
  mapping: count,
  any: count,
  isSelfIssued: fc.boolean(),
});
type Level = typeof level extends fc.Arbitrary<infer T> ? T : never;

const demand = fc.record({
  accepted: fc.option(fc.uniqueArray(policy, { minLength: 1 })),
  requirePolicies: fc.boolean(),
  inhibitMapping: fc.boolean(),
  inhibitAnyPolicy: fc.boolean(),
});

const ROOT = root({ extensions: [subjectKeyId(100)] });
const KEYS = [ecKey(), ecKey(), ecKey()];

function extensionsOf({ asserted, mapped, explicit, mapping, any }: Level, isLeaf: boolean): TestExtension[] {
  const isLimited = explicit !== undefined || mapping !== undefined;
  return [
    ...(asserted.length === 0 ? [] : [policies(...asserted)]),
    ...(isLeaf || mapped.length === 0 || asserted.length === 0 ? [] : [policyMappings(...mapped)]),
    ...(isLimited ? [policyConstraints({ explicit, mapping })] : []),
    ...(isLeaf || any === undefined ? [] : [inhibitAnyPolicy(any)]),
  ];
}

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

it('[F21] policies of any path are those that openssl finds', () => {
  const levels = fc.array(level, { minLength: 1, maxLength: KEYS.length });
  fc.assert(
    fc.property(levels, level, demand, (above, end, policiesWanted) => {
      let issuer: Authority = ROOT;
      const intermediates = above.map((one, index) => {
        const subject = one.isSelfIssued && index > 0 ? issuer.name : distinguishedName({ O: `Level ${index}` });
        const keyIds = [subjectKeyId(index + 1), authorityKeyId(index === 0 ? 100 : index)];
        issuer = below(issuer, { key: KEYS[index], subject, extensions: [...extensionsOf(one, false), ...keyIds] });
        return issuer.der;
      });
      const leaf = leafWith(issuer, ...extensionsOf(end, true), authorityKeyId(above.length));
      const asked = { leaf, intermediates, anchors: [ROOT.der], policies: policiesWanted };
      const [ours, theirs] = [ourVerdict(asked), opensslVerdict(asked, folder.path)];
      // What maps a policy out of anyPolicy counts for openssl where anyPolicy does not: RFC 9618 §5.4 (b) wants a node of it.
      const isMapped = above.some(({ mapped, asserted }) => mapped.length > 0 && asserted.includes(ANY_POLICY));
      const isInhibited = policiesWanted.inhibitAnyPolicy || above.some(({ any }) => any !== undefined);
      if (ours === 'valid' || !isMapped || !isInhibited) expect(ours === 'valid').toBe(theirs === 'valid');
    }),
    { numRuns: 60 },
  );
});
