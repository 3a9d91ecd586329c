/** Verifies access tokens of the authorization servers that an authority lists. @see RFC 9068, RFC 7662, RFC 8705 §3 */
import type { NumericDate } from '../federation/time.ts';
import type { KnownTokenIssuer } from '../registry/participants/known-participants.ts';
import { type DecodedJwt, originOf, type TokenOrigin, validateJwtAccessToken } from './access-token.ts';
import type { EnforcementPlace, TokenVerdict } from './admission-question.ts';
import { Introspection, type IntrospectionOptions } from './introspection.ts';
import { IssuerKeys } from './issuer-keys.ts';
import type { IssuerRequests } from './issuer-requests.ts';
import type { KnownState } from './known-state.ts';

export interface TokenVerifierOptions {
  requests: IssuerRequests;
  secretOf: IntrospectionOptions['secretOf'];
  /** Milliseconds by a clock that nobody sets, which the age of keys is told by. */
  monotonicMs: () => number;
}

type IssuersState = Pick<KnownState, 'api' | 'authorizationServer' | 'tokenIssuer' | 'introspectingIssuers'>;

export interface TokenCircumstances {
  place: Pick<EnforcementPlace, 'authorityId'>;
  /** The API that is asked for: only its own authorization server issues tokens for it. */
  apiId: string | null;
  /** Who shows the token. */
  applicationId: string;
  /** What is known at the moment. */
  state: () => IssuersState;
  now: NumericDate;
}

export class TokenVerifier {
  readonly #keys: IssuerKeys;
  readonly #introspection: Introspection;

  constructor({ requests, secretOf, monotonicMs }: TokenVerifierOptions) {
    this.#keys = new IssuerKeys(requests, monotonicMs);
    this.#introspection = new Introspection({ requests, keys: this.#keys, secretOf });
  }

  /** A verdict counts for the records of its end: whoever was taken off the list meanwhile has no say any more. */
  async verify(token: string, circumstances: TokenCircumstances): Promise<TokenVerdict> {
    const { now, state } = circumstances;
    const origin = originOf(token);
    if (origin.kind === 'malformed') return { reason: 'token_malformed', detail: 'it is no access token' };
    const issuer = issuerOf(origin, circumstances, state());
    if ('reason' in issuer) return issuer;
    const audience = audienceOf(circumstances.apiId, state());
    const audiences = audience === null ? issuer.audiences : issuer.audiences.filter((listed) => listed === audience);
    const hasKeys = issuer.jwks !== null || issuer.jwksUri !== null;
    const verdict =
      origin.kind === 'jwt' && hasKeys
        ? await this.#verifyJwt(origin.decoded, issuer, { audiences, now })
        : await this.#introspection.ask(issuer, token, { ...circumstances, audiences });
    const isStillBelieved = () =>
      issuerOf(origin, circumstances, state()) === issuer && audienceOf(circumstances.apiId, state()) === audience;
    if (isStillBelieved()) return 'reason' in verdict ? verdict : { ...verdict, isStillBelieved };
    return { reason: 'token_unverifiable', detail: 'what is known of its issuer has changed meanwhile' };
  }

  async #verifyJwt(
    token: DecodedJwt,
    issuer: KnownTokenIssuer,
    { audiences, now }: { audiences: readonly string[]; now: NumericDate },
  ): Promise<TokenVerdict> {
    const jwks = await this.#keys.find(issuer, token.header['kid']);
    if (jwks === undefined) {
      return { reason: 'token_unverifiable', detail: 'the keys of its authorization server cannot be had' };
    }
    return await validateJwtAccessToken(token, { ...issuer, audiences }, jwks, now);
  }
}

/** Which of its issuer's audiences a token must be meant for; null: any. */
function audienceOf(apiId: string | null, state: IssuersState): string | null {
  return (apiId === null ? undefined : state.api(apiId))?.audience ?? null;
}

/** Who has to vouch for a token. */
function issuerOf(
  origin: Exclude<TokenOrigin, { kind: 'malformed' }>,
  { place, apiId }: TokenCircumstances,
  state: IssuersState,
): KnownTokenIssuer | Refusal {
  const issuerOfApi = issuerFor(apiId, state);
  if (origin.kind === 'jwt') {
    if (issuerOfApi !== undefined && origin.issuer !== issuerOfApi) {
      return unknownIssuer('another authorization server issues the tokens for this API');
    }
    return state.tokenIssuer(place.authorityId, origin.issuer) ?? unknownIssuer('its issuer is not listed here');
  }
  // Whoever is asked about a token gets it, so nobody is asked who cannot have issued it.
  const [issuer, another] = state
    .introspectingIssuers(place.authorityId)
    .filter((listed) => issuerOfApi === undefined || listed.issuer === issuerOfApi);
  if (issuer === undefined) return unknownIssuer('it is no JWT, and nobody is listed who could be asked about it');
  if (another === undefined) return issuer;
  return unknownIssuer('it is no JWT, and several could be asked about it: name the API that it is for');
}

function issuerFor(apiId: string | null, state: IssuersState): string | undefined {
  const api = apiId === null ? undefined : state.api(apiId);
  return api && state.authorizationServer(api.authorizationServerId)?.issuer;
}

type Refusal = Extract<TokenVerdict, { reason: unknown }>;

function unknownIssuer(detail: string): Refusal {
  return { reason: 'token_issuer_unknown', detail };
}
