import { expect, it } from 'vitest';
import { CertifiedKeyIndex } from '../../src/admission/certified-key-index.ts';
import { certifiedKeysOf } from '../../src/registry/participants/certified-keys.ts';
import { ANCHOR, PARTICIPANT } from '../support/admission.ts';
import { below, leafOf, NOW, root } from '../support/certificate-paths.ts';
import { ecKey } from '../support/certificates.ts';

const KEY = ecKey();
const ROOT = root();
const CA = below(ROOT);
const LEAF = leafOf(CA, { key: KEY });
const base64 = (der: Uint8Array) => Buffer.from(der).toString('base64');
const registered = (jwk: object = {}, row: object = {}) => ({
  publicJwk: { ...KEY.publicKey.export({ format: 'jwk' }), kid: 'k', x5c: [base64(LEAF), base64(CA.der)], ...jwk },
  ...{ addedAt: 5, expiresAt: null, ...row },
});
const [CERTIFIED] = certifiedKeysOf([registered()] as never);
if (CERTIFIED === undefined) throw new Error('it is one');
const list = [{ ...ANCHOR, certificate: base64(ROOT.der) }];

it('takes only certificates of the very key, for TLS, while both are valid', () => {
  const ca = { ...ecKey().publicKey.export({ format: 'jwk' }) };
  for (const [jwk, isOne] of [
    [{}, true],
    [ca, false],
    [{ x5c: [base64(CA.der)] }, false],
    [{ x5c: ['AAAA'] }, false],
    [{ x5c: 'AAAA' }, false],
    [{ x5c: [] }, false],
    [{ x5c: [4] }, false],
  ] as const) {
    expect(certifiedKeysOf([registered(jwk)] as never)).toHaveLength(isOne ? 1 : 0);
  }
  const [ending] = certifiedKeysOf([registered({}, { expiresAt: NOW + 10 })] as never);
  expect(ending?.notAfter).toBe(NOW + 9);
});

it('finds its way to the trust list of now, and looks again where there was none', () => {
  const index = new CertifiedKeyIndex();
  const application = { ...PARTICIPANT, certifiedKeys: [CERTIFIED] };
  index.add(application);
  const pathIn = (entries: typeof list, now = NOW) => index.get(CERTIFIED.x5tS256, () => entries, now)[0]?.path;
  expect(pathIn([])).toBeNull();
  expect(pathIn(list)?.notAfter).toBeGreaterThan(NOW);
  expect(pathIn([{ ...ANCHOR, certificate: base64(root().der) }])).toBeNull();
  const early = Date.UTC(2025, 0, 1) / 1000;
  const again = [...list];
  expect(pathIn(again, early)).toBeNull();
  expect(pathIn(again, early + 59)).toBeNull();
  expect(pathIn(again, NOW)).not.toBeNull();
  index.remove(application);
  expect(pathIn(list)).toBeUndefined();
});

it('has the application last that listed the key first', () => {
  const index = new CertifiedKeyIndex();
  index.add({ ...PARTICIPANT, id: 'a', certifiedKeys: [{ ...CERTIFIED, addedAt: 7 }] });
  index.add({ ...PARTICIPANT, id: 'b', certifiedKeys: [{ ...CERTIFIED, addedAt: 5 }] });
  index.add({ ...PARTICIPANT, id: 'c', certifiedKeys: [{ ...CERTIFIED, addedAt: 6 }] });
  const found = index.get(CERTIFIED.x5tS256, () => [], NOW);
  expect(found.map(({ applicationId }) => applicationId)).toEqual(['a', 'c', 'b']);
});
