import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CERTIFICATE_REASONS, CertificateError } from '../../src/pki/certificate-error.ts';
import { parseCertificates } from '../../src/pki/parse-certificate.ts';
import { certificate, DIGITAL_SIGNATURE, dnsNames, pem } from '../support/certificates.ts';

const GOOD = certificate({ extensions: [DIGITAL_SIGNATURE, dnsNames('a.example')] });

/** Whatever it is: certificates, or a refusal that names a reason; never a fault. */
function isDecided(given: string | Uint8Array): boolean {
  try {
    return parseCertificates(given).every(({ notBefore, notAfter }) => notBefore < notAfter);
  } catch (error) {
    expect(error).toBeInstanceOf(CertificateError);
    return CERTIFICATE_REASONS.includes((error as CertificateError).reason);
  }
}

describe('whatever somebody hands in as a certificate', () => {
  it('is read or refused with a reason: changed bytes', () => {
    const change = fc.tuple(fc.nat(GOOD.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(GOOD);
        for (const [at, byte] of changes) bytes[at] = byte;
        return isDecided(new Uint8Array(bytes)) && isDecided(pem(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it('is read or refused with a reason: cut, longer, or something else', () => {
    const cut = fc.nat(GOOD.length).map((length) => new Uint8Array(GOOD.subarray(0, length)));
    fc.assert(fc.property(fc.oneof(cut, fc.uint8Array({ maxLength: 200 })), isDecided), { numRuns: 300 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string().map((text) => `${pem(GOOD)}${text}`),
        ),
        isDecided,
      ),
    );
  });
});
