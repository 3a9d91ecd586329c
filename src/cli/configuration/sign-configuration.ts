/** Builds, lints and signs the Entity Configuration of a partner. @see OIDFED §3.1, §9 */
import { FederationError } from '../../federation/errors.ts';
import { type EntityIdentifier, entityConfigurationUrl } from '../../federation/identifiers.ts';
import type { JsonObject } from '../../federation/json.ts';
import type { JwkSet } from '../../federation/jwk-set.ts';
import { lintEntityStatement } from '../../federation/lint/lint-entity-statement.ts';
import type { NumericDate } from '../../federation/time.ts';
import { CommandError } from '../command-error.ts';
import type { Surroundings } from '../surroundings.ts';
import { type PartnerKeys, readPartnerKeys, signAsPartner } from './partner-keys.ts';
import { type ConfigurationSettings, keyFile, MAX_LIFETIME_SECONDS, readSettings, settingsFile } from './settings.ts';

export interface SignedConfiguration {
  entity: EntityIdentifier;
  /** Where others look for it. */
  url: string;
  jwt: string;
  kid: string;
  issuedAt: NumericDate;
  expiresAt: NumericDate;
}

export interface SigningOptions {
  dir: string;
  allowHttp: boolean;
  now: NumericDate;
}

/** @throws CommandError usage: what stands in the folder is not fit to be signed */
export async function signConfiguration(
  { dir, allowHttp, now }: SigningOptions,
  surroundings: Pick<Surroundings, 'stdin'>,
): Promise<SignedConfiguration> {
  const settings = await readSettings(dir, surroundings);
  const partner = await readPartnerKeys(keyFile(dir));
  const key = signingKey(partner, dir);
  const claims = configurationClaims(settings, partner.jwks, now);
  const linted = lint(claims, settings, { dir, allowHttp });
  const entity = settings.entity as EntityIdentifier;
  return {
    entity,
    url: entityConfigurationUrl(entity),
    jwt: await signAsPartner(key, linted.typ, linted.spend()),
    kid: key.kid,
    issuedAt: now,
    expiresAt: now + settings.lifetimeSeconds,
  };
}

export function signingKey({ keys }: PartnerKeys, dir: string): PartnerKeys['keys'][number] {
  const [key] = keys;
  if (key === undefined) throw new CommandError('usage', `${keyFile(dir)} holds no key`);
  return key;
}

function configurationClaims(settings: ConfigurationSettings, jwks: JwkSet, now: NumericDate): JsonObject {
  const { entity, authority_hints: hints, metadata, additionalClaims, lifetimeSeconds } = settings;
  return {
    ...additionalClaims,
    iss: entity,
    sub: entity,
    iat: now,
    exp: now + lifetimeSeconds,
    jwks: { keys: jwks.keys as JsonObject[] },
    ...(hints === undefined ? {} : { authority_hints: hints }),
    metadata,
  };
}

function lint(
  claims: JsonObject,
  settings: ConfigurationSettings,
  { dir, allowHttp }: Pick<SigningOptions, 'dir' | 'allowHttp'>,
): ReturnType<typeof lintEntityStatement> {
  // Critical claims are the partner's own; whoever reads the configuration has to understand them.
  const understoodClaims = new Set(Object.keys(settings.additionalClaims ?? {}));
  try {
    return lintEntityStatement(claims, { allowHttp, understoodClaims, maxLifetimeSeconds: MAX_LIFETIME_SECONDS });
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw new CommandError(
      'usage',
      `the configuration would be refused by others (§${error.section}, ${error.reason})`,
      {
        hint: `Mend ${settingsFile(dir)}.`,
        code: error.reason,
        fields: [{ pointer: error.at, detail: error.message }],
        cause: error,
      },
    );
  }
}
