/** Requests for access tokens: `client_credentials` of an entity that proves itself by a signed assertion, or by the certificate of its connection. @see RFC 6749 §4.4, RFC 7523 §2.2, §3, RFC 8705 §2 */
import type { CertificateClients } from '../../../admission/certificate-clients.ts';
import {
  CLIENT_ASSERTION_TYPE,
  type ClientAssertion,
  parseClientAssertion,
  verifyClientAssertion,
} from '../../../federation/client-assertion.ts';
import { FederationError } from '../../../federation/errors.ts';
import {
  type EntityIdentifier,
  type IdentifierOptions,
  parseEntityIdentifier,
} from '../../../federation/identifiers.ts';
import type { JwkSet } from '../../../federation/jwk-set.ts';
import type { Clock } from '../../../federation/time.ts';
import type { AuthorityDirectory } from '../../../registry/authorities/authority-directory.ts';
import { type ActiveRecord, activeRecordsOf } from '../../../registry/tokens/active-records.ts';
import { type EntityProof, makeEntityToken } from '../../../registry/tokens/entity-token.ts';
import type { Db } from '../../../storage/connect.ts';
import type { Caller } from '../../federation/callers.ts';
import type { ClientQuotas } from '../../federation/client-quotas.ts';
import type { Exchange } from '../../federation/exchange.ts';
import { optionalParameter } from '../../federation/parameters.ts';
import type { UsedAssertions } from '../../federation/used-assertions.ts';
import { type PeerCertificate, requestCertificateOf } from '../../peer-certificate.ts';
import { OAuthError } from './oauth-error.ts';

/** Longest time that an assertion may still be good for. */
export const MAX_ASSERTION_SECONDS = 300;

/** Room for an assertion with some certificates. */
const MAX_BYTES = 32 * 1024;

export interface TokenEndpoint {
  /** Its URL, the audience of assertions. */
  url: string;
  quotas: ClientQuotas;
  /** Remembers assertions for all nodes. */
  used: UsedAssertions;
  certificateClients: Pick<CertificateClients, 'find'>;
  clock: Clock;
}

export interface TokenRequestDependencies {
  db: Db;
  directory: Pick<AuthorityDirectory, 'get'>;
  identifiers: IdentifierOptions;
  tokenEndpoint: TokenEndpoint;
}

/**
 * Answers a request with the secret of a new access token. Whoever is not known, not active, or did not sign with a key
 * registered here hears the same, and so does whoever connects with a certificate that does not admit him.
 * @throws OAuthError, StaleStateError, TryAgainLater rate_limited, resolution_unavailable
 */
export async function answerTokenRequest(dependencies: TokenRequestDependencies, exchange: Exchange): Promise<string> {
  const { quotas, clock } = dependencies.tokenEndpoint;
  let proved: Proved | undefined;
  await quotas.identify(exchange, async () => {
    const form = await asOAuth('invalid_request', () => exchange.form(MAX_BYTES));
    const means = await asOAuth('invalid_request', () => meansOf(form, exchange));
    proved = await asOAuth('invalid_client', () =>
      typeof means === 'string'
        ? identifyByAssertion(dependencies, exchange, form, means)
        : identifyByCertificate(dependencies, exchange, form, means),
    );
    return { kind: 'entity', entityIdentifier: proved.entityIdentifier };
  });
  if (proved === undefined) throw nobody();
  return await makeEntityToken(dependencies.db, proved.entityId, proved.proof, new Date(clock.now() * 1000));
}

/**
 * By what a request that asks for nothing that is not granted here proves whose it is: its assertion; without one, the
 * certificate of its connection.
 * @throws OAuthError, FederationError parameter_repeated
 */
function meansOf(form: URLSearchParams, { request, environment }: Exchange): string | PeerCertificate {
  const grantType = optionalParameter(form, 'grant_type');
  if (grantType === undefined) throw new OAuthError('invalid_request', 'grant_type is missing');
  if (grantType !== 'client_credentials') {
    throw new OAuthError('unsupported_grant_type', 'only client_credentials is granted');
  }
  if ((optionalParameter(form, 'scope') ?? '') !== '')
    throw new OAuthError('invalid_scope', 'there are no scopes here');
  const others = request.headers.has('authorization') || form.has('client_secret');
  const isAsserted = form.has('client_assertion') || form.has('client_assertion_type');
  const certificate = isAsserted ? undefined : requestCertificateOf(environment);
  if (certificate !== undefined && !others) return certificate;
  const assertion = optionalParameter(form, 'client_assertion') ?? '';
  if (others || assertion === '' || optionalParameter(form, 'client_assertion_type') !== CLIENT_ASSERTION_TYPE) {
    const message = `clients prove themselves by a client_assertion of the type ${CLIENT_ASSERTION_TYPE}, or by their certificate at the port that asks for one, and by nothing else`;
    throw new OAuthError(others ? 'invalid_request' : 'invalid_client', message);
  }
  return assertion;
}

/** Who asks, and by what he proved it. */
interface Proved {
  entityIdentifier: EntityIdentifier;
  entityId: string;
  proof: EntityProof;
}

/**
 * Of a certificate nobody reads whose it is, so a client says it.
 * @throws OAuthError, FederationError entity_identifier_invalid, StaleStateError, TryAgainLater
 */
async function identifyByCertificate(
  { directory, identifiers, tokenEndpoint }: TokenRequestDependencies,
  exchange: Exchange,
  form: URLSearchParams,
  { x5tS256 }: PeerCertificate,
): Promise<Proved> {
  const clientId = optionalParameter(form, 'client_id') ?? '';
  if (clientId === '') throw new OAuthError('invalid_request', 'client_id is missing: the Entity Identifier');
  const entityIdentifier = parseEntityIdentifier(clientId, identifiers, 'client_id');
  const found = await tokenEndpoint.certificateClients.find(x5tS256, entityIdentifier);
  const records = found.flatMap(({ id, authorityId }) => {
    const served = directory.get(authorityId);
    return served === undefined ? [] : [{ entityId: id, authority: served.authority.entityIdentifier }];
  });
  if (records.length === 0) {
    throw new OAuthError('invalid_client', 'no active entity here of this client_id is admitted with this certificate');
  }
  const { entityId } = oneOf(records, optionalParameter(form, 'authority'));
  tokenEndpoint.quotas.charge(exchange, { kind: 'entity', entityIdentifier }, 'lookup');
  return { entityIdentifier, entityId, proof: { x5tS256 } };
}

/** @throws OAuthError, FederationError client_assertion_invalid, client_assertion_replayed, TryAgainLater */
async function identifyByAssertion(
  { db, identifiers, tokenEndpoint }: TokenRequestDependencies,
  exchange: Exchange,
  form: URLSearchParams,
  jwt: string,
): Promise<Proved> {
  const { clock, quotas, used, url } = tokenEndpoint;
  const now = clock.now();
  const options = { audience: url, now, maxSeconds: MAX_ASSERTION_SECONDS, ...identifiers };
  const assertion = parseClientAssertion(jwt, options);
  const clientId = optionalParameter(form, 'client_id') ?? assertion.caller;
  if (clientId !== assertion.caller)
    throw new OAuthError('invalid_client', 'client_id is not who signed the assertion');
  const records = await activeRecordsOf(db, assertion.caller, new Date(now * 1000));
  const proved = await provedBy(assertion, records);
  if (proved.length === 0) throw nobody();
  const record = oneOf(proved, optionalParameter(form, 'authority'));
  const caller: Caller = { kind: 'entity', entityIdentifier: assertion.caller };
  quotas.charge(exchange, caller, 'lookup');
  try {
    await used.use(assertion, url);
  } catch (error) {
    // Whoever repeats an assertion does not spend the quota of whom he has it from.
    if (error instanceof FederationError && error.reason === 'client_assertion_replayed') {
      quotas.giveBack(exchange, caller, 'lookup');
    }
    throw error;
  }
  return { entityIdentifier: assertion.caller, entityId: record.entityId, proof: { kid: assertion.header.kid } };
}

/** The records with a key that signed the assertion: authorities may have registered different ones. */
async function provedBy(assertion: ClientAssertion, records: readonly ActiveRecord[]): Promise<ActiveRecord[]> {
  const proved: ActiveRecord[] = [];
  for (const record of records) {
    try {
      await verifyClientAssertion(assertion, { keys: record.keys } as JwkSet);
      proved.push(record);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
    }
  }
  return proved;
}

/** @throws OAuthError */
function oneOf<Where extends { authority: string }>(records: readonly Where[], authority: string | undefined): Where {
  const named = authority === undefined ? records : records.filter((record) => record.authority === authority);
  const [record, ...others] = named;
  if (record !== undefined && others.length === 0) return record;
  const names = records.map((one) => one.authority).join(', ');
  throw new OAuthError('invalid_request', `say in the parameter authority for which: ${names}`);
}

function nobody(): OAuthError {
  return new OAuthError('invalid_client', 'no active entity here has a registered key that signed this assertion');
}

/** A refusal of the federation's own rules, in the words of OAuth. */
async function asOAuth<T>(code: 'invalid_request' | 'invalid_client', step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw OAuthError.from(error, code);
  }
}
