/** What a gateway asks: whether whoever has this certificate, and this token, may pass. */
import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AdmissionRequest } from '../../admission/admission.ts';
import type { PresentedCertificate } from '../../admission/admission-question.ts';
import { type CertificateHeaderForm, readCertificateHeader } from '../../pki/headers/certificate-header.ts';
import { CertificateHeaderError, type CertificateHeaderReason } from '../../pki/headers/header-error.ts';
import { headerValues } from './header-values.ts';

export interface ForwardAuthQuestion {
  request: AdmissionRequest;
  /** What is wrong with the header that should have had the certificate. */
  detail: CertificateHeaderReason | undefined;
}

/** Where each form stands. RFC 9440, Envoy and Traefik name theirs; the others are set by whoever configures them. */
const HEADERS: Readonly<Record<CertificateHeaderForm, string>> = {
  rfc9440: 'client-cert',
  nginx: 'x-ssl-client-cert',
  xfcc: 'x-forwarded-client-cert',
  traefik: 'x-forwarded-tls-client-cert',
  caddy: 'x-ssl-client-cert',
  apache: 'x-ssl-client-cert',
};

/** No token and no id has such characters. */
const SEVERAL = 'Bearer (several)';

const CERTIFICATE_HEADERS: ReadonlySet<string> = new Set(Object.values(HEADERS));

/** Caddy leaves this where a connection has no certificate. */
const CADDY_NONE = '{http.request.tls.client.certificate_der_base64}';

/** @param form how the gateway that asks writes certificates */
export function forwardAuthQuestion(incoming: IncomingMessage, form: CertificateHeaderForm): ForwardAuthQuestion {
  const authorization = soleOf(headerValues(incoming, 'authorization'));
  const onBehalfOf = soleOf(headerValues(incoming, 'holdfast-on-behalf-of').filter((id) => id !== ''));
  const token = authorization === undefined ? undefined : tokenOf(authorization);
  const { certificate, detail } = presentedCertificate(incoming, form);
  const request = {
    certificate,
    ...(token === undefined ? {} : { token }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
  };
  return { request, detail };
}

/** Of several values none is known to be the right one: together they are a token, or an organisation, that there is not. */
function soleOf(values: readonly string[]): string | undefined {
  return values.length > 1 ? SEVERAL : values[0];
}

/**
 * What is behind the scheme, also if that is no token; undefined: the scheme is for others. Some servers take a tab, or
 * nothing, for the space between them: what they would read as a token is never taken for none.
 * @see RFC 6750 §2.1, RFC 9449 §7.1
 */
function tokenOf(authorization: string): string | undefined {
  const [, token] = /^(?:bearer|dpop)(?![A-Za-z0-9_-])(.*)$/is.exec(authorization) ?? [];
  return token?.replaceAll(/^ +| +$/g, '');
}

function presentedCertificate(
  incoming: IncomingMessage,
  form: CertificateHeaderForm,
): { certificate: PresentedCertificate; detail: CertificateHeaderReason | undefined } {
  try {
    requireNoOther(incoming, HEADERS[form]);
    const values = headerValues(incoming, HEADERS[form]);
    const certificate = form === 'caddy' ? values.map((value) => (value === CADDY_NONE ? '' : value)) : values;
    const chain = form === 'rfc9440' ? headerValues(incoming, 'client-cert-chain') : [];
    const read = readCertificateHeader(form, { certificate, chain });
    if (read === null) return { certificate: 'none', detail: undefined };
    return { certificate: { x5tS256: hash('sha256', read.leaf, 'base64url') }, detail: undefined };
  } catch (error) {
    if (!(error instanceof CertificateHeaderError)) throw error;
    return { certificate: 'malformed', detail: error.reason };
  }
}

/** A certificate in another form is not the gateway's: it lets through what it should have deleted. */
function requireNoOther({ rawHeaders }: IncomingMessage, expected: string): void {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (name !== expected && CERTIFICATE_HEADERS.has(name) && rawHeaders[index + 1] !== '') {
      throw new CertificateHeaderError('header_contradictory', 'stands beside one of another form');
    }
  }
}
