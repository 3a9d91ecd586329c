/** What the issuers of marks that our authorities show say: their keys and fresh marks. @see OIDFED §8.6, §9 */
import { FederationError } from '../federation/errors.ts';
import { type EntityIdentifier, isEndpointUrl, parseEntityIdentifier, withQuery } from '../federation/identifiers.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import { MAX_JWT_LENGTH } from '../federation/signature.ts';
import type { EntityStatement, StatementOptions } from '../federation/statement/entity-statement.ts';
import { validateEntityConfiguration } from '../federation/statement/validate-statement.ts';
import type { Clock } from '../federation/time.ts';
import { verifyTrustMarkSignature } from '../federation/trust-mark/trust-mark.ts';
import type { OutboundClient } from '../outbound/outbound-client.ts';
import type { VerifyTrustMark } from '../registry/trust-marks/hold-trust-mark.ts';
import type { WantedTrustMark } from './refresh-held-trust-marks.ts';

export interface TrustMarkIssuersOptions extends StatementOptions {
  outbound: Pick<OutboundClient, 'get'>;
  clock: Clock;
  /** The Entity Configuration of an issuer, a compact JWT; one of our own without a request. */
  retrieveConfiguration: (issuer: EntityIdentifier) => Promise<string>;
  /** The mark that an authority of ours issues; undefined for others, null where it has none for that bearer. */
  ownTrustMark: (wanted: WantedTrustMark) => Promise<string | null | undefined>;
}

const PARAMETER = 'federation_trust_mark_endpoint';

export class TrustMarkIssuers {
  readonly #options: TrustMarkIssuersOptions;

  constructor(options: TrustMarkIssuersOptions) {
    this.#options = options;
  }

  /** Verifies a mark with the keys in its issuer's own configuration: whether to trust the issuer, readers decide. */
  readonly verify: VerifyTrustMark = async (mark) => {
    const { claims } = await this.#configuration(mark.claims.iss);
    await verifyTrustMarkSignature(mark, claims.jwks);
  };

  /** @throws FederationError trust_mark_not_held, trust_mark_endpoint_missing, what keeps the issuer's answer from us */
  readonly fetchTrustMark = async (wanted: WantedTrustMark): Promise<string> => {
    const own = await this.#options.ownTrustMark(wanted);
    if (own === null) throw notHeld(wanted);
    if (own !== undefined) return own;
    const issuer = parseEntityIdentifier(wanted.issuer, this.#options);
    const endpoint = (await this.#configuration(issuer)).claims.metadata?.['federation_entity']?.[PARAMETER];
    if (!isEndpointUrl(endpoint, this.#options)) {
      throw new FederationError('trust_mark_endpoint_missing', `${issuer} publishes no ${PARAMETER}`);
    }
    return await this.#ask(endpoint, wanted);
  };

  async #configuration(issuer: EntityIdentifier): Promise<EntityStatement> {
    const { retrieveConfiguration, clock, allowHttp, understoodClaims } = this.#options;
    const jwt = await retrieveConfiguration(issuer);
    return await validateEntityConfiguration(jwt, issuer, { now: clock.now(), allowHttp, understoodClaims });
  }

  async #ask(endpoint: string, wanted: WantedTrustMark): Promise<string> {
    const url = withQuery(endpoint, [
      ['trust_mark_type', wanted.trustMarkType],
      ['sub', wanted.bearer],
    ]);
    const { status, contentType, body } = await this.#options.outbound.get(url, {
      accept: [MEDIA_TYPE.trustMark],
      maxResponseBytes: MAX_JWT_LENGTH,
    });
    if (status === 404) throw notHeld(wanted);
    if (status !== 200) throw new FederationError('http_status_unexpected', `${url} answered with status ${status}`);
    if (contentType !== MEDIA_TYPE.trustMark) {
      const message = `${url} answered with ${contentType ?? 'no media type'} instead of ${MEDIA_TYPE.trustMark}`;
      throw new FederationError('content_type_unexpected', message);
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(body);
  }
}

function notHeld({ issuer, trustMarkType, bearer }: WantedTrustMark): FederationError {
  return new FederationError('trust_mark_not_held', `${issuer} has no mark ${trustMarkType} for ${bearer}`);
}
