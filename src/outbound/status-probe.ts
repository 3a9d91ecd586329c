/** Knocks at a server with a client certificate, on a connection of its own, and reads no more than the head of the response. */
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import { FederationError } from '../federation/errors.ts';
import type { AllowRules } from './address-rules.ts';
import type { ClientCertificate } from './client-certificate.ts';
import { Deadline } from './deadline.ts';
import { createGuardedConnector } from './guarded-connector.ts';
import { createLookup } from './name-resolution.ts';
import { DEFAULT_CONNECT_TIMEOUT_MS, DEFAULT_TIMEOUT_MS, parseTarget, requestHeaders } from './outbound-client.ts';
import { transportFailure } from './transport-failure.ts';

export interface StatusProbeOptions {
  /** Destinations permitted besides globally routable addresses; see `parseOutboundAllow`. */
  allow: AllowRules;
  clientCertificate: ClientCertificate;
  /** PEM certificates trusted in addition to those that Node trusts. */
  extraCas: readonly string[];
  /** Sent as `User-Agent`: `holdfast/<version>`. */
  userAgent: string;
  /** Wall clock for all of it. */
  timeoutMs?: number;
}

export interface ProbeAnswer {
  status: number;
  /** `Holdfast-Reason`; empty if there is none. */
  reason: string;
}

/**
 * The head of the response to a GET, a redirect's included; whatever its body would be is not waited for.
 * @throws FederationError address_forbidden, connection_failed, timed_out
 */
export async function probeStatus(
  target: string,
  { allow, clientCertificate, extraCas, userAgent, timeoutMs = DEFAULT_TIMEOUT_MS }: StatusProbeOptions,
  outer?: AbortSignal,
): Promise<ProbeAnswer> {
  const url = parseTarget(target, false);
  if (url.protocol !== 'https:') {
    throw new FederationError('address_forbidden', 'a client certificate is shown over https alone');
  }
  using deadline = new Deadline({
    timeoutMs,
    outer,
    expired: () => new FederationError('timed_out', `${url.host} gave no answer within ${timeoutMs} ms`),
  });
  const agent = new Agent({
    connect: createGuardedConnector({
      ...{ allow, extraCas, clientCertificate, allowHttp: false, lookup: createLookup() },
      timeoutMs: Math.min(DEFAULT_CONNECT_TIMEOUT_MS, timeoutMs),
      closing: deadline.signal,
    }),
    allowH2: false,
    // The deadline covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const reader = new HeadReader(url.host);
    const headers = requestHeaders(userAgent, {});
    agent.dispatch({ origin: url.origin, path: `${url.pathname}${url.search}`, method: 'GET', headers }, reader);
    return await deadline.race(reader.answer);
  } finally {
    await agent.destroy();
  }
}

class HeadReader implements Dispatcher.DispatchHandler {
  readonly #host: string;
  readonly #settle = Promise.withResolvers<ProbeAnswer>();

  constructor(host: string) {
    this.#host = host;
  }

  get answer(): Promise<ProbeAnswer> {
    return this.#settle.promise;
  }

  // undici wants all of them.
  onRequestStart(): void {}
  onResponseData(): void {}
  onResponseEnd(): void {}

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#settle.resolve({ status, reason: String(headers['holdfast-reason'] ?? '') });
    controller.abort(new Error('the head is all that was asked for'));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#settle.reject(transportFailure(error, this.#host));
  }
}
