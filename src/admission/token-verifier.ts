/** Verifies access tokens of the authorization servers that an authority lists. @see RFC 9068, RFC 7662, RFC 8705 §3 */
import type { NumericDate } from '../federation/time.ts';
import type { KnownTokenIssuer } from '../registry/participants/known-participants.ts';
import { type DecodedJwt, originOf, validateJwtAccessToken } from './access-token.ts';
import type { EnforcementPlace, TokenVerdict } from './admission-question.ts';
import { Introspection, type IntrospectionOptions } from './introspection.ts';
import { IssuerKeys } from './issuer-keys.ts';
import type { IssuerRequests } from './issuer-requests.ts';
import type { KnownState } from './known-state.ts';

export interface TokenVerifierOptions {
  requests: IssuerRequests;
  secretOf: IntrospectionOptions['secretOf'];
}

export interface TokenCircumstances {
  place: Pick<EnforcementPlace, 'authorityId'>;
  /** The API that is asked for: only its own authorization server issues tokens for it. */
  apiId: string | null;
  state: Pick<KnownState, 'api' | 'authorizationServer' | 'tokenIssuer' | 'introspectingIssuers'>;
  now: NumericDate;
}

export class TokenVerifier {
  readonly #keys: IssuerKeys;
  readonly #introspection: Introspection;

  constructor({ requests, secretOf }: TokenVerifierOptions) {
    this.#keys = new IssuerKeys(requests);
    this.#introspection = new Introspection({ requests, keys: this.#keys, secretOf });
  }

  async verify(token: string, { place, apiId, state, now }: TokenCircumstances): Promise<TokenVerdict> {
    const origin = originOf(token);
    if (origin.kind === 'malformed') return { reason: 'token_malformed', detail: 'it is no access token' };
    const issuerOfApi = issuerFor(apiId, state);
    if (origin.kind === 'jwt') {
      if (issuerOfApi !== undefined && origin.issuer !== issuerOfApi) {
        return unknownIssuer('another authorization server issues the tokens for this API');
      }
      const issuer = state.tokenIssuer(place.authorityId, origin.issuer);
      if (issuer === undefined) return unknownIssuer('its issuer is not listed here');
      if (issuer.jwks !== null || issuer.jwksUri !== null) return await this.#verifyJwt(origin.decoded, issuer, now);
      return await this.#introspection.ask(issuer, token, now);
    }
    // Whoever is asked about a token gets it, so nobody is asked who cannot have issued it.
    const [issuer, another] = state
      .introspectingIssuers(place.authorityId)
      .filter((listed) => issuerOfApi === undefined || listed.issuer === issuerOfApi);
    if (issuer === undefined) return unknownIssuer('it is no JWT, and nobody is listed who could be asked about it');
    if (another !== undefined) {
      return unknownIssuer('it is no JWT, and several could be asked about it: name the API that it is for');
    }
    return await this.#introspection.ask(issuer, token, now);
  }

  async #verifyJwt(token: DecodedJwt, issuer: KnownTokenIssuer, now: NumericDate): Promise<TokenVerdict> {
    const jwks = await this.#keys.find(issuer, token.header['kid'], now);
    if (jwks === undefined) {
      return { reason: 'token_unverifiable', detail: 'the keys of its authorization server cannot be had' };
    }
    return await validateJwtAccessToken(token, issuer, jwks, now);
  }
}

function issuerFor(apiId: string | null, state: TokenCircumstances['state']): string | undefined {
  const api = apiId === null ? undefined : state.api(apiId);
  return api && state.authorizationServer(api.authorizationServerId)?.issuer;
}

function unknownIssuer(detail: string): TokenVerdict {
  return { reason: 'token_issuer_unknown', detail };
}
