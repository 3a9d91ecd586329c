/** What a responder says: written, read anew before it is signed, and read by OpenSSL. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lintOcspResponse } from '../../../src/pki/ocsp/lint-ocsp-response.ts';
import { type OcspErrorStatus, writeOcspError } from '../../../src/pki/ocsp/ocsp-error.ts';
import { parseOcspRequest } from '../../../src/pki/ocsp/parse-ocsp-request.ts';
import { readOcspResponder } from '../../../src/pki/ocsp/read-ocsp-responder.ts';
import {
  type OcspResponsePlan,
  type OcspStatus,
  writeOcspResponse,
  writeOcspResponseData,
} from '../../../src/pki/ocsp/write-ocsp-response.ts';
import { MasterKey } from '../../../src/signer/sealing.ts';
import { createSigner } from '../../../src/signer/signer.ts';
import { certificate, chainOf, DIGITAL_SIGNATURE, ecKey, extendedKeyUsage } from '../../support/certificates.ts';
import { ocspRequest, openSslText, statusesIn } from '../../support/ocsp.ts';

const NOW = Date.UTC(2026, 10, 23, 12, 0, 5) / 1000;
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const RESPONDER = readOcspResponder(certificate({ extensions: [DIGITAL_SIGNATURE, extendedKeyUsage(OCSP_SIGNING)] }));
const [, issuer] = chainOf();
const { certIds } = parseOcspRequest(ocspRequest({ issuer, serials: ['1', '22', '7fff'] }));

const GOOD: OcspStatus = { status: 'good' };
const plan = (changes: Partial<OcspResponsePlan> = {}): OcspResponsePlan => ({
  responderKeyHash: RESPONDER.keyHash,
  thisUpdate: NOW,
  nextUpdate: NOW + 600,
  responses: certIds.map(({ der }) => ({ certId: der, status: GOOD })),
  nonce: undefined,
  ...changes,
});
const EXPECTED = { alg: 'ES256', responder: RESPONDER, certIds, nonce: undefined, maxSeconds: 600 } as const;
const lint = (changes: Partial<OcspResponsePlan>, expected: Partial<Parameters<typeof lintOcspResponse>[1]> = {}) =>
  lintOcspResponse(writeOcspResponseData(plan(changes)), { ...EXPECTED, ...expected });

const status: fc.Arbitrary<OcspStatus> = fc.oneof(
  fc.constant(GOOD),
  fc.constant<OcspStatus>({ status: 'unknown' }),
  fc.record({
    status: fc.constant('revoked' as const),
    reason: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 9),
    revokedAt: fc.integer({ min: 0, max: NOW }),
  }),
);

describe('an OCSP response', () => {
  it('says of each certificate what it is told to, in the order of the request', async () => {
    const signer = createSigner(new MasterKey(randomBytes(32)));
    const key = await signer.generateKey('a-certification-authority', 'ES256', 'ocsp-responder');
    const revoked = { status: 'revoked', reason: 6, revokedAt: NOW - 86_400 } as const;
    const responses = [GOOD, revoked, { status: 'unknown' } as const].map((given, index) => ({
      certId: certIds[index]?.der ?? new Uint8Array(),
      status: given,
    }));
    const nonce = Buffer.from('0123456789abcdef');
    const linted = lint({ responses, nonce }, { nonce });
    const response = writeOcspResponse(await signer.signDer(key, linted));
    expect(statusesIn(response)).toEqual(['good', 'revoked certificateHold', 'unknown']);
    const text = openSslText(response);
    expect(text).toContain('Produced At: Nov 23 12:00:05 2026 GMT');
    expect(text).toContain('Next Update: Nov 23 12:10:05 2026 GMT');
    expect(text).toContain('Revocation Time: Nov 22 12:00:05 2026 GMT');
  });

  it('passes its lint whatever the statuses are, and with every nonce', () => {
    const statuses = fc.tuple(status, status, status);
    const nonce = fc.option(fc.uint8Array({ minLength: 1, maxLength: 32 }), { nil: undefined });
    fc.assert(
      fc.property(statuses, nonce, (given, wanted) => {
        const responses = certIds.map(({ der }, index) => ({ certId: der, status: given[index] ?? GOOD }));
        const linted = lint({ responses, nonce: wanted }, { nonce: wanted });
        expect([linted.kind, linted.alg]).toEqual(['ocsp-response', 'ES256']);
      }),
    );
  });

  it.each<[string, Partial<OcspResponsePlan>]>([
    ['of another responder', { responderKeyHash: new Uint8Array(20) }],
    ['that is good for too long', { nextUpdate: NOW + 601 }],
    ['that ends before it begins', { nextUpdate: NOW - 1 }],
    ['that ends as it begins', { nextUpdate: NOW }],
    [
      'from before the certificate of its responder',
      { thisUpdate: RESPONDER.notBefore - 1, nextUpdate: RESPONDER.notBefore + 1 },
    ],
    ['beyond the certificate of its responder', { thisUpdate: RESPONDER.notAfter, nextUpdate: RESPONDER.notAfter + 1 }],
    ['about fewer certificates', { responses: plan().responses.slice(1) }],
    ['about certificates in another order', { responses: plan().responses.toReversed() }],
    ['with a nonce that nobody sent', { nonce: Buffer.alloc(8) }],
    [
      'of a revocation that is to come',
      {
        responses: plan().responses.map((one) => ({
          ...one,
          status: { status: 'revoked', reason: 1, revokedAt: NOW + 1 },
        })),
      },
    ],
    [
      'with a reason that there is not',
      {
        responses: plan().responses.map((one) => ({
          ...one,
          status: { status: 'revoked', reason: 7, revokedAt: NOW },
        })),
      },
    ],
  ])('%s is not signed', (_, changes) => {
    expect(() => lint(changes)).toThrow(/the answer is not signed/);
  });

  it('is not signed with another nonce than was sent, or without it', () => {
    const nonce = Buffer.alloc(8, 1);
    expect(() => lint({ nonce: Buffer.alloc(8, 2) }, { nonce })).toThrow(/nonce/);
    expect(() => lint({}, { nonce })).toThrow(/nonce/);
  });

  it('is signed by no certificate but one for this', () => {
    expect(() => readOcspResponder(certificate({ key: ecKey() }))).toThrow(/not for a responder/);
  });

  it.each<[OcspErrorStatus, string]>([
    ['malformedRequest', 'malformedrequest'],
    ['internalError', 'internalerror'],
    ['tryLater', 'trylater'],
    ['unauthorized', 'unauthorized'],
  ])('without any status says %s', (given, read) => {
    expect(statusesIn(writeOcspError(given))).toEqual([read]);
  });
});
