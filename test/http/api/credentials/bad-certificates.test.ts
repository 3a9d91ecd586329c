/** Certificates that somebody made badly, or on purpose: each gets a refusal with a stable reason, and nothing breaks. */
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { startApi } from '../../../support/api-service.ts';
import {
  alternativeNames,
  below,
  CA,
  generalName,
  leafOf,
  leafWith,
  nameConstraints,
  opensslVerdict,
  ROOT,
  root,
  SERVER_AUTH,
} from '../../../support/certificate-paths.ts';
import {
  certificate,
  der,
  distinguishedName,
  ecKey,
  extendedKeyUsage,
  oid,
  pem,
  rsaKey,
  sequence,
} from '../../../support/certificates.ts';
import { TemporaryFolder } from '../../../support/temporary-folder.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => expect(api.service.failures).toEqual([]));

/** An authority that believes its trust list alone, and one that has none. */
const [strict, open] = [await api.service.authority(), await api.service.authority()];
await api.admin.post('/api/v1/trust-list', {
  authorityId: strict.id,
  purpose: 'transport',
  certificate: pem(ROOT.der),
});
await api.admin.patch(`/api/v1/authorities/${strict.id}`, { listedPurposes: ['transport'] }, { 'if-match': '*' });
const entityAt = {
  strict: (await api.service.entity(await api.service.organisation(strict))).id,
  open: (await api.service.entity(await api.service.organisation(open))).id,
};

async function verdict(at: keyof typeof entityAt, certificate: string): Promise<string> {
  const body = { usage: 'transport', certificate };
  const answer = await api.registrar.post(`/api/v1/entities/${entityAt[at]}/credentials`, body);
  return [answer.status, answer.body.code, answer.body.reason].filter((part) => part !== undefined).join(' ');
}

const RSA = rsaKey();
const ofCa = (leaf: Buffer): string => pem(leaf, CA.der);
const fresh = (plan: Parameters<typeof leafOf>[1] = {}): string => ofCa(leafOf(CA, { key: ecKey(), ...plan }));
const malformed = '400 validation_failed certificate_malformed';

describe('[F21] a bad certificate', () => {
  const limited = below(ROOT, { extensions: [nameConstraints({ permitted: [generalName.dns('partner.example')] })] });

  it.each<[string, string, string]>([
    ['noise', pem(Buffer.alloc(300, 0xa5)), malformed],
    ['one that is cut', ofCa(leafOf(CA).subarray(0, -3)), malformed],
    ['a serial number of 21 bytes', fresh({ serial: Array.from({ length: 21 }, () => 0x7f) }), malformed],
    ['a serial number of a kilobyte', fresh({ serial: Array.from({ length: 1024 }, () => 0x7f) }), malformed],
    ['a serial number below 0', fresh({ serial: [0xff] }), malformed],
    ['the serial number 0', fresh({ serial: [0] }), malformed],
    ['times before 1970', fresh({ notBefore: '690101000000Z' }), '400 validation_failed validity_invalid'],
    ['the year 0', fresh({ notBefore: '00000101000000Z' }), '400 validation_failed validity_invalid'],
    ['February 30', fresh({ notAfter: '350230000000Z' }), '400 validation_failed validity_invalid'],
    ['an end before its beginning', fresh({ notAfter: '250101000000Z' }), '400 validation_failed validity_invalid'],
    ['MD5', signedWith('1.2.840.113549.1.1.4', 'md5'), '400 validation_failed algorithm_unsupported'],
    ['SHA-1', signedWith('1.2.840.113549.1.1.5', 'sha1'), '400 validation_failed algorithm_unsupported'],
    [
      'an unknown critical extension',
      ofCa(leafWith(CA, { type: '1.2.3.4', critical: true, value: der(0x05) })),
      '400 validation_failed extension_invalid',
    ],
    [
      'a name with what nobody sees',
      fresh({ subject: distinguishedName({ CN: 'bank\u00ad.example' }) }),
      '400 validation_failed name_invalid',
    ],
    ['another signature', ofCa(leafOf(root({ subject: CA.name }))), '400 validation_failed chain_broken'],
  ])('%s: %s', async (_, certificate, expected) => {
    expect([await verdict('strict', certificate), await verdict('open', certificate)]).toEqual([expected, expected]);
  });

  it.each<[string, () => string, string]>([
    [
      'a name that is not permitted',
      () => pem(leafOf(limited, { key: ecKey(), ...elsewhere() }), limited.der),
      'name_not_permitted',
    ],
    ['a loop', loop, 'chain_untrusted'],
    ['itself alone', () => pem(certificate()), 'chain_untrusted'],
    ['what has its root beside it', () => fresh() + pem(ROOT.der), 'valid'],
  ])('where only the list is believed, %s is refused by its path: %s', async (_, make, reason) => {
    const expected = reason === 'valid' ? '201' : `422 chain_untrusted ${reason}`;
    expect(await verdict('strict', make())).toBe(expected);
    expect(await verdict('open', make())).toBe('201');
  });

  describe('of a chain that is handed in', () => {
    const folder = new TemporaryFolder();
    afterAll(() => folder[Symbol.dispose]());
    const key = ecKey();
    const [zero, expired] = [below(ROOT, { maxPathLength: 0 }), below(ROOT, { notAfter: '260601000000Z' })];
    const lowest = below(zero, { subject: distinguishedName({ O: 'Lowest' }) });

    it.each<[string, Buffer, Buffer[]]>([
      ['good', leafOf(CA, { key }), [CA.der]],
      ['without what is between', leafOf(CA, { key }), []],
      ['of another root', leafOf(root({ subject: distinguishedName({ O: 'Else' }) }), { key }), []],
      ['below one that expired', leafOf(expired, { key }), [expired.der]],
      ['longer than allowed', leafOf(lowest, { key }), [lowest.der, zero.der]],
      ['for servers', leafOf(CA, { key, extensions: [extendedKeyUsage(SERVER_AUTH)] }), [CA.der]],
      ['for a name not permitted', leafOf(limited, { key, ...elsewhere() }), [limited.der]],
      ['for one that is', leafWith(limited, alternativeNames(generalName.dns('a.partner.example'))), [limited.der]],
    ])('what openssl verifies is taken, and nothing else: %s', async (_, leaf, intermediates) => {
      const theirs = opensslVerdict({ leaf, intermediates, anchors: [ROOT.der] }, folder.path);
      const ours = await verdict('strict', pem(leaf, ...intermediates));
      expect([theirs, ours]).toEqual([
        theirs,
        theirs === 'valid' ? '201' : expect.stringMatching(/^422 chain_untrusted /),
      ]);
    });
  });

  it('of whatever bytes is never our failure, nor taken where only the list is believed', async () => {
    const bytes = fc.record({
      at: fc.nat(700),
      by: fc.uint8Array({ minLength: 1, maxLength: 4 }),
      cut: fc.nat(3),
      which: fc.boolean(),
    });
    const good = [leafOf(CA), CA.der];
    await fc.assert(
      fc.asyncProperty(bytes, async ({ at, by, cut, which }) => {
        const chain = good.map((one, index) => {
          if (index !== Number(which)) return one;
          const changed = Buffer.from(one.subarray(0, one.length - (cut === 3 ? at % one.length : 0)));
          changed.set([...by].slice(0, Math.max(0, changed.length - (at % changed.length))), at % changed.length);
          return changed;
        });
        if (chain.every((one, index) => one.equals(good[index] ?? one))) return;
        expect(await verdict('strict', pem(...chain))).toMatch(/^4(00 validation_failed|22 chain_untrusted) [a-z_]+$/);
      }),
      { numRuns: 150 },
    );
  });

  function signedWith(algorithm: string, hash: string): string {
    const name = distinguishedName({ O: 'Old' });
    const signatureAlgorithm = sequence(oid(algorithm), der(0x05));
    return pem(certificate({ key: ecKey(), issuer: { key: RSA, name }, signatureAlgorithm, hash }));
  }

  function elsewhere() {
    return { extensions: [alternativeNames(generalName.dns('elsewhere.example'))] };
  }

  /** Two authorities that vouch for each other, and for a leaf. */
  function loop(): string {
    const [one, two] = [
      { key: ecKey(), name: distinguishedName({ O: 'One' }) },
      { key: ecKey(), name: distinguishedName({ O: 'Two' }) },
    ];
    const byTwo = below({ ...two, der: Buffer.alloc(0) }, { key: one.key, subject: one.name });
    const byOne = below({ ...one, der: Buffer.alloc(0) }, { key: two.key, subject: two.name });
    return pem(leafOf(byTwo, { key: ecKey() }), byTwo.der, byOne.der);
  }
});
