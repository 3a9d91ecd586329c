import { describe, expect, it } from 'vitest';
import { CertifiedKeyIndex } from '../../src/admission/certified-key-index.ts';
import { certifiedKeysOf } from '../../src/registry/participants/certified-keys.ts';
import type { CertifiedKey, KnownApplication } from '../../src/registry/participants/known-participants.ts';
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
  ...{ expiresAt: null, ...row },
});
const [unjudged] = certifiedKeysOf([registered()] as never);
if (unjudged === undefined) throw new Error('it is one');
const CERTIFIED: CertifiedKey = { ...unjudged, objection: null };
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
  const pathIn = (entries: typeof list, now = NOW) =>
    index.get(CERTIFIED.x5tS256, PARTICIPANT.authorityId, entries, now)[0]?.path;
  expect(pathIn([])).toBeNull();
  expect(pathIn(list)?.notAfter).toBeGreaterThan(NOW);
  expect(pathIn([{ ...ANCHOR, x5tS256: 'another root', certificate: base64(root().der) }])).toBeNull();
  const early = Date.UTC(2025, 0, 1) / 1000;
  const again = [...list];
  expect(pathIn(again, early)).toBeNull();
  expect(pathIn(again, early + 59)).toBeNull();
  expect(pathIn(again, NOW)).not.toBeNull();
  index.remove(application);
  expect(pathIn(list)).toBeUndefined();
});

describe('a key that several list', () => {
  const other = { ...CERTIFIED, x5tS256: 'another certificate of the key' };
  const listing = (id: string, changes: Partial<KnownApplication> = {}, key: Partial<CertifiedKey> = {}) => ({
    ...{ ...PARTICIPANT, id, ...changes },
    certifiedKeys: [{ ...CERTIFIED, ...key }],
  });
  const found = (...applications: KnownApplication[]) => {
    const index = new CertifiedKeyIndex();
    for (const application of applications) index.add(application);
    return index.get(CERTIFIED.x5tS256, PARTICIPANT.authorityId, [], NOW).map(({ applicationId }) => applicationId);
  };

  it.each([
    ['another entity', listing('b')],
    ['one that is suspended', listing('b', { state: 'suspended' })],
    ['one with another certificate', listing('b', {}, other)],
    ['one whose certificate is held', listing('b', {}, { ...other, objection: 'credential' })],
  ])('is of nobody while %s lists it, whoever was first', (_, rival) => {
    expect(found(listing('a'), rival)).toEqual([]);
    expect(found(rival, listing('a'))).toEqual([]);
  });

  it.each([
    ['was not approved', listing('b', { state: 'pending' })],
    ['has ended', listing('b', { state: 'revoked' })],
    ['is under another authority', listing('b', { authorityId: 'another' })],
    ['has a certificate of somebody else', listing('b', {}, { objection: 'subject' })],
  ])('stays whose it is if who lists it %s', (_, rival) => {
    expect(found(listing('a'), rival)).toEqual(['a']);
  });

  it('does not count against an objection', () => {
    expect(found(listing('a', {}, { objection: 'credential' }))).toEqual([]);
    expect(found(listing('a', {}, { objection: 'subject' }))).toEqual([]);
  });
});
