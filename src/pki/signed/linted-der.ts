/** What passed its lints and may be signed in the form of X.509. Imported by the lints; others take the type only. */
import type { Der } from '../der-writer.ts';

/** What it is; each is for a key of its own purpose. */
export type SignedKind = 'certificate' | 'certificate-request' | 'revocation-list' | 'ocsp-response';

/** Algorithms of keys that sign so, by their names in JOSE (RFC 7518 §3.1). */
export type X509Algorithm = 'ES256' | 'ES384' | 'RS256';

export interface LintedContents {
  kind: SignedKind;
  /** That of the key; a certificate and a list of revocations say it within `toBeSigned` too. */
  alg: X509Algorithm;
  /** DER of what is signed: TBSCertificate, CertificationRequestInfo, TBSCertList, ResponseData. */
  toBeSigned: Der;
  /** DER of what follows the signature: certificates of an OCSP response. */
  trailer?: Der;
}

/** Not exported: nobody else can make one, and its private fields keep look-alikes out. */
class Linted {
  readonly kind: SignedKind;
  readonly alg: X509Algorithm;
  readonly #contents: LintedContents;
  #isSpent = false;

  constructor(contents: LintedContents) {
    this.kind = contents.kind;
    this.alg = contents.alg;
    this.#contents = contents;
  }

  /** What is signed, once. @throws TypeError when it was taken before */
  spend(): LintedContents {
    if (this.#isSpent) throw new TypeError('what was linted is signed once; lint it again');
    this.#isSpent = true;
    return this.#contents;
  }
}

/** Only a lint makes one, and it can be spent once, so that nothing reaches a key unread or altered. */
export type LintedDer = Linted;

/** For lints only: what passed them. */
export function lintedDer(contents: LintedContents): LintedDer {
  return new Linted(contents);
}
