/** Relying parties that ask the composed service without a network, and keep every answer for as long as they may. */
import { type EntityIdentifier, entityConfigurationUrl } from '../../src/federation/identifiers.ts';
import type { Clock } from '../../src/federation/time.ts';
import type { TrustAnchors } from '../../src/federation/trust-chain/trust-chain.ts';
import type { OutboundResponse } from '../../src/outbound/response-collector.ts';
import type { HttpGet } from '../../src/resolver/http-statement-source.ts';
import type { ResolveOutcome } from '../../src/resolver/resolution.ts';
import { createResolver, type Resolver } from '../../src/resolver/resolver.ts';
import { StatementCache } from '../../src/resolver/statement-cache.ts';
import { claimsOf } from './answers.ts';
import type { TestFederation } from './federation.ts';
import type { TestService } from './service.ts';

/**
 * Asks the service for what its authorities publish, the federation for what its entities do. Nothing says how long an
 * answer may be kept.
 */
export function inProcessClient(service: TestService, federation: TestFederation): HttpGet {
  const others = new Map(federation.entities.map(({ name, identifier }) => [entityConfigurationUrl(identifier), name]));
  return {
    async get(url): Promise<OutboundResponse> {
      const name = others.get(String(url));
      const response =
        name === undefined
          ? await service.fetch(String(url))
          : new Response(await federation.configuration(name), {
              headers: { 'content-type': 'application/entity-statement+jwt' },
            });
      return {
        status: response.status,
        contentType: response.headers.get('content-type')?.split(';')[0],
        headers: new Map<string, string>(),
        body: new Uint8Array(await response.arrayBuffer()),
      };
    },
  };
}

/** Gives a statement from memory until it expires: our resolver would read it again where a key is missing. */
class PatientClient implements HttpGet {
  readonly #client: HttpGet;
  readonly #clock: Clock;
  readonly #kept = new Map<string, { response: OutboundResponse; exp: number }>();

  constructor(client: HttpGet, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async get(...request: Parameters<HttpGet['get']>): Promise<OutboundResponse> {
    const url = String(request[0]);
    const kept = this.#kept.get(url);
    if (kept !== undefined && kept.exp > this.#clock.now()) return kept.response;
    const response = await this.#client.get(...request);
    const { exp } = response.status === 200 ? claimsOf(new TextDecoder().decode(response.body)) : {};
    if (typeof exp === 'number') this.#kept.set(url, { response, exp });
    return response;
  }

  forget(): void {
    this.#kept.clear();
  }
}

export interface RelyingPartyOptions {
  client: HttpGet;
  clock: Clock;
  /** Pinned once; what it learns of later keys it learns from the Trust Anchor. */
  trustAnchors: TrustAnchors;
}

/** Uses a statement again until the very moment that it expires; no failure makes it ask earlier. */
export class RelyingParty {
  readonly #resolver: Resolver;
  readonly #trustAnchors: TrustAnchors;
  readonly #client: PatientClient;

  constructor({ client, clock, trustAnchors }: RelyingPartyOptions) {
    const forEver = Number.MAX_SAFE_INTEGER;
    const cache = new StatementCache({ clock, freshSeconds: forEver, maxFreshSeconds: forEver });
    this.#client = new PatientClient(client, clock);
    this.#resolver = createResolver({ outbound: this.#client, clock, cache });
    this.#trustAnchors = trustAnchors;
  }

  /** It was told that a key was compromised: where something fails it may ask again. */
  warn(): void {
    this.#client.forget();
  }

  resolve(subject: string): Promise<ResolveOutcome> {
    return this.#resolver.resolve({ subject: subject as EntityIdentifier, trustAnchors: this.#trustAnchors });
  }
}

/** `resolved`, or what every attempt failed with. */
export function outcomeText(outcome: ResolveOutcome): string {
  if ('resolved' in outcome) return 'resolved';
  return outcome.attempts.map(({ reason, at, message }) => `${reason} at ${at}: ${message}`).join('; ');
}
