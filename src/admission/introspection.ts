/** Asks authorization servers about tokens. @see RFC 7662, RFC 9701 */
import { FederationError } from '../federation/errors.ts';
import { isJsonObject, parseJson } from '../federation/json.ts';
import type { NumericDate } from '../federation/time.ts';
import type { KnownTokenIssuer } from '../registry/participants/known-participants.ts';
import { judgeIntrospection, kidOf, validateSignedIntrospection } from './access-token.ts';
import type { TokenVerdict } from './admission-question.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { type IssuerRequests, type IssuerResponse, textOf } from './issuer-requests.ts';

type IntrospectionSetting = NonNullable<KnownTokenIssuer['introspection']>;

export interface IntrospectionOptions {
  requests: Pick<IssuerRequests, 'post'>;
  keys: Pick<IssuerKeys, 'find'>;
  /** `client_secret` for the introspection endpoint of an issuer; undefined for one that came with an import, without it. */
  secretOf: (issuer: KnownTokenIssuer) => string | undefined;
}

/** Questions to one issuer at a time: a flood of tokens reaches neither it nor us as a flood. */
export const MAX_IN_FLIGHT = 32;
/** Of these, questions about tokens that one application shows: the others keep room for theirs. */
export const MAX_IN_FLIGHT_OF_ONE = 8;

const SIGNED = 'application/token-introspection+jwt';
const PLAIN = 'application/json';
/** Gateways give up after two seconds, and would not hear why. */
const LIMITS = { timeoutMs: 1500, maxResponseBytes: 64 * 1024 };

interface Expected {
  /** A token must be meant for one of them. */
  audiences: readonly string[];
  now: NumericDate;
}

interface TokenQuestion extends Expected {
  /** Who shows the token. */
  applicationId: string;
}

interface UnderWay {
  applicationId: string;
  answer: Promise<TokenVerdict>;
}

export class Introspection {
  readonly #options: IntrospectionOptions;
  /** Questions under way, by the record of the issuer: by the token, what it is for, and the second in which they were asked. */
  readonly #underWay = new Map<KnownTokenIssuer, Map<string, UnderWay>>();

  constructor(options: IntrospectionOptions) {
    this.#options = options;
  }

  /** What an issuer says now; who asks the same in the same second waits for the same answer, which nobody keeps. */
  async ask(
    issuer: KnownTokenIssuer,
    token: string,
    { audiences, applicationId, now }: TokenQuestion,
  ): Promise<TokenVerdict> {
    const ofIssuer = this.#underWay.get(issuer) ?? new Map<string, UnderWay>();
    const question = JSON.stringify([now, token, audiences]);
    const asked = ofIssuer.get(question);
    if (asked !== undefined) return await asked.answer;
    const ofApplication = [...ofIssuer.values()].filter((other) => other.applicationId === applicationId);
    if (ofIssuer.size >= MAX_IN_FLIGHT || ofApplication.length >= MAX_IN_FLIGHT_OF_ONE)
      return unverifiable('its authorization server has too many questions to answer');
    this.#underWay.set(issuer, ofIssuer);
    const answer = this.#ask(issuer, token, { audiences, now }).finally(() => {
      ofIssuer.delete(question);
      if (ofIssuer.size === 0) this.#underWay.delete(issuer);
    });
    ofIssuer.set(question, { applicationId, answer });
    return await answer;
  }

  async #ask(issuer: KnownTokenIssuer, token: string, expected: Expected): Promise<TokenVerdict> {
    const { introspection } = issuer;
    if (introspection === null) return unverifiable('its authorization server is asked about no tokens');
    const secret = this.#options.secretOf(issuer);
    if (secret === undefined) return unverifiable('the secret for its authorization server is not here yet');
    let response: IssuerResponse;
    try {
      response = await this.#options.requests.post(introspection.endpoint, {
        ...LIMITS,
        accept: [introspection.isSigned ? SIGNED : PLAIN],
        authorization: basicCredentials(introspection, secret),
        contentType: 'application/x-www-form-urlencoded',
        body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
      });
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      return unverifiable(`its authorization server could not be asked: ${error.reason}`);
    }
    return await this.#judge(issuer, introspection, response, expected);
  }

  async #judge(
    issuer: KnownTokenIssuer,
    { clientId, isSigned }: IntrospectionSetting,
    response: IssuerResponse,
    { audiences, now }: Expected,
  ): Promise<TokenVerdict> {
    const { status, contentType } = response;
    if (status !== 200) return unverifiable(`its authorization server answered ${status}`);
    if (contentType !== (isSigned ? SIGNED : PLAIN)) {
      return unverifiable(`its authorization server answered with ${isSigned ? 'no signed answer' : 'no JSON'}`);
    }
    const content = contentOf(response);
    if (!isSigned) {
      const answer = objectOf(content);
      return answer === undefined
        ? unverifiable('its authorization server answered with no JSON object')
        : judgeIntrospection(answer, { ...issuer, audiences }, now);
    }
    const jwks = await this.#options.keys.find(issuer, kidOf(content));
    if (jwks === undefined) return unverifiable('the keys of its authorization server cannot be had');
    return await validateSignedIntrospection(content, { ...issuer, audiences }, { jwks, audience: clientId, now });
  }
}

/** Both are form-encoded first. @see RFC 6749 §2.3.1 */
function basicCredentials({ clientId }: IntrospectionSetting, secret: string): string {
  const encoded = [clientId, secret].map((part) => new URLSearchParams({ '': part }).toString().slice(1));
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
}

/** Empty if it is not UTF-8. */
function contentOf(response: IssuerResponse): string {
  try {
    return textOf(response);
  } catch {
    return '';
  }
}

function objectOf(content: string) {
  try {
    const value = parseJson(content);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function unverifiable(detail: string): TokenVerdict {
  return { reason: 'token_unverifiable', detail };
}
