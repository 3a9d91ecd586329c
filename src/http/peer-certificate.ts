/** The certificate that the client of a connection has, and proved in the handshake to have the key of. */
import { hash, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { NumericDate } from '../federation/time.ts';

export interface PeerCertificate {
  /** SHA-256 over its DER, base64url: `x5t#S256` of RFC 8705. */
  x5tS256: string;
  notBefore: NumericDate;
  notAfter: NumericDate;
}

/** A connection has one certificate from its handshake to its end: nobody may renegotiate. */
const peers = new WeakMap<Socket, PeerCertificate | null>();

/** Who issued it, and for whom, is not looked at. */
export function peerCertificateOf(socket: Socket | undefined): PeerCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  let peer = peers.get(socket);
  if (peer === undefined) {
    const certificate = socket.getPeerX509Certificate();
    peer = certificate === undefined ? null : peerWith(certificate);
    peers.set(socket, peer);
  }
  return peer ?? undefined;
}

/** The same for a request, by the environment that the HTTP server hands over with it. */
export function requestCertificateOf(environment: unknown): PeerCertificate | undefined {
  const { incoming } = (environment ?? {}) as { incoming?: { socket?: Socket } };
  return peerCertificateOf(incoming?.socket);
}

function peerWith({ raw, validFromDate, validToDate }: X509Certificate): PeerCertificate {
  return {
    x5tS256: hash('sha256', raw, 'base64url'),
    notBefore: validFromDate.getTime() / 1000,
    notAfter: validToDate.getTime() / 1000,
  };
}
