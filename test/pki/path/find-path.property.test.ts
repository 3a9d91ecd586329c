import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CERTIFICATE_REASONS } from '../../../src/pki/certificate-error.ts';
import { findPath, MAX_INTERMEDIATES } from '../../../src/pki/path/find-path.ts';
import { PATH_REASONS } from '../../../src/pki/path/path-refusal.ts';
import {
  alternativeNames,
  below,
  generalName,
  leafWith,
  nameConstraints,
  type PathCase,
  policies,
  question,
  root,
} from '../../support/certificate-paths.ts';
import { distinguishedName, ecKey } from '../../support/certificates.ts';

const ROOT = root();
const CA = below(ROOT, {
  extensions: [nameConstraints({ permitted: [generalName.dns('partner.example')] }), policies('1.2.3')],
});
const LEAF = leafWith(CA, alternativeNames(generalName.dns('a.partner.example')), policies('1.2.3'));
const REASONS = new Set<string>([...CERTIFICATE_REASONS, ...Object.keys(PATH_REASONS)]);

/** Fails where the search throws, or refuses without a reason. */
function isTaken(asked: PathCase): boolean {
  const outcome = findPath(question(asked));
  if (!('refusal' in outcome)) return true;
  const { reason, rule, message } = outcome.refusal;
  expect(REASONS).toContain(reason);
  expect(rule).toMatch(/^RFC \d/);
  expect(message).not.toBe('');
  return false;
}

function flipped(bytes: Buffer, at: number, mask: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ mask;
  return changed;
}

describe('[F21] a changed certificate', () => {
  it('is refused, whichever byte it is, in the leaf and above it', () => {
    expect(isTaken({ leaf: LEAF, intermediates: [CA.der], anchors: [ROOT.der] })).toBe(true);
    for (const mask of [0x01, 0x80, 0xff]) {
      for (let at = 0; at < LEAF.length; at++) {
        const asked = { leaf: flipped(LEAF, at, mask), intermediates: [CA.der], anchors: [ROOT.der] };
        expect(isTaken(asked), `byte ${at} of the leaf`).toBe(false);
      }
      for (let at = 0; at < CA.der.length; at++) {
        const asked = { leaf: LEAF, intermediates: [flipped(CA.der, at, mask)], anchors: [ROOT.der] };
        expect(isTaken(asked), `byte ${at} of the authority`).toBe(false);
      }
    }
  });

  it('is refused however it is cut, lengthened and changed', () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    const splice = fc.tuple(fc.nat(LEAF.length), fc.nat(40), bytes);
    fc.assert(
      fc.property(splice, ([at, removed, added]) => {
        const leaf = Buffer.concat([LEAF.subarray(0, at), added, LEAF.subarray(at + removed)]);
        return leaf.equals(LEAF) || !isTaken({ leaf, intermediates: [CA.der], anchors: [ROOT.der] });
      }),
      { numRuns: 500 },
    );
    fc.assert(fc.property(bytes, (leaf) => !isTaken({ leaf: Buffer.from(leaf), anchors: [ROOT.der] })));
  });
});

/** Authorities of a few names and keys, each signed by any other: loops, crosses and parallel ways at random. */
const NAMES = ['A', 'B', 'C'].map((O) => distinguishedName({ O }));
const KEYS = [ecKey(), ecKey(), ecKey()];
const entity = fc.record({ name: fc.constantFrom(...NAMES), key: fc.constantFrom(...KEYS) });
const STRANGE_ROOT = root({ subject: distinguishedName({ O: 'Elsewhere' }) });

describe('[F21] a tangle of authorities', () => {
  it('is searched to its end, and never leads to a trust list that signed none of it', () => {
    const edges = fc.array(fc.tuple(entity, entity), { minLength: 1, maxLength: MAX_INTERMEDIATES });
    fc.assert(
      fc.property(edges, (made) => {
        const certificates = made.map(([issuer, subject]) =>
          below({ ...issuer, der: Buffer.alloc(0) }, { subject: subject.name, key: subject.key }),
        );
        const leaf = leafWith(certificates[0]!);
        const asked = { leaf, intermediates: certificates.map(({ der }) => der) };
        expect(isTaken({ ...asked, anchors: [STRANGE_ROOT.der] })).toBe(false);
        // Its own issuer is behind it, whatever else is sent along.
        return isTaken({ ...asked, anchors: [certificates[0]!.der] });
      }),
      { numRuns: 60 },
    );
  });

  it('with parallel ways that all fail ends with a reason, and with one certificate too many at once', () => {
    const old = root({ notAfter: '260601000000Z' });
    const levels = [3, 3, 4];
    const authorities = [old];
    const sent: Buffer[] = [];
    for (const [level, ways] of levels.entries()) {
      const subject = distinguishedName({ O: `Level ${level}` });
      const key = ecKey();
      const issuer = authorities[level]!;
      const parallel = Array.from({ length: ways }, (_, way) => below(issuer, { subject, key, serial: [way + 1] }));
      authorities.push(parallel[0]!);
      sent.push(...parallel.map(({ der }) => der));
    }
    const leaf = leafWith(authorities.at(-1)!);
    const outcome = findPath(question({ leaf, intermediates: sent, anchors: [old.der] }));
    expect(outcome).toMatchObject({ refusal: { reason: 'certificate_expired', certificate: { from: 'anchors' } } });
    expect('attempts' in outcome && outcome.attempts.length).toBe(3 * 3 * 4);
    const more = findPath(question({ leaf, intermediates: [...sent, CA.der], anchors: [old.der] }));
    expect(more).toMatchObject({ refusal: { reason: 'chain_too_complex' } });
  });
});
