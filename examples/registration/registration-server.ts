/**
 * An authorization server where applications register themselves (RFC 7591), made of oidc-provider: what it takes down is
 * what the authority's software statement says, whatever else is asked for.
 */
import { errors, Provider } from 'oidc-provider';
import {
  type SoftwareStatement,
  StatementRefused,
  type VerificationOptions,
  verifySoftwareStatement,
} from './software-statement.ts';

const POLICY = 'software-statement';
/** What applications may sign with, and this server does. */
const ALGORITHM = 'ES256';

export interface RegistrationServerSettings extends VerificationOptions {
  issuer: string;
  /** Private keys that sign tokens, ES256. */
  jwks: { keys: readonly object[] };
}

export interface RegistrationServer {
  provider: Provider;
  /** What one has to show to register, once. */
  initialAccessToken(): Promise<string>;
}

export function createRegistrationServer({
  issuer,
  jwks,
  ...verification
}: RegistrationServerSettings): RegistrationServer {
  const provider = new Provider(issuer, {
    jwks,
    cookies: { keys: ['only for the interaction that this server never has'] },
    clientDefaults: {
      id_token_signed_response_alg: ALGORITHM,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: ALGORITHM,
    },
    features: {
      devInteractions: { enabled: false },
      registration: {
        enabled: true,
        initialAccessToken: true,
        policies: { [POLICY]: (_ctx, properties) => takeDown(properties, verification) },
      },
    },
  });
  return {
    provider,
    initialAccessToken: () => new provider.InitialAccessToken({ policies: [POLICY] }).save(),
  };
}

/** @throws InvalidSoftwareStatement, UnapprovedSoftwareStatement */
async function takeDown(properties: Record<string, unknown>, verification: VerificationOptions): Promise<void> {
  const { software_statement: jwt, redirect_uris: asked } = properties;
  if (typeof jwt !== 'string') throw new errors.InvalidSoftwareStatement('software_statement is required');
  const said = await verifySoftwareStatement(jwt, verification).catch((error: unknown) => {
    if (error instanceof StatementRefused) throw new errors.UnapprovedSoftwareStatement(error.message);
    throw error;
  });
  const allowed = said.redirect_uris ?? [];
  const wanted = Array.isArray(asked) ? asked : allowed;
  const foreign = wanted.find((uri) => !allowed.includes(uri));
  if (foreign !== undefined) throw new errors.UnapprovedSoftwareStatement(`${foreign} is none of its redirect_uris`);
  for (const name of Object.keys(properties)) if (!OURS.has(name)) delete properties[name];
  Object.assign(properties, clientOf(said), { redirect_uris: wanted });
}

/** What the server itself has put there; all else is what the statement says. */
const OURS: ReadonlySet<string> = new Set(['client_id', 'client_id_issued_at']);

function clientOf({ software_client_name, jwks_uri }: SoftwareStatement): object {
  return {
    client_name: software_client_name,
    jwks_uri,
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['authorization_code'],
    response_types: ['code'],
  };
}
