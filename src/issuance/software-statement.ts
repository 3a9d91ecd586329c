/** Claims of a software statement, by the names that Open Finance Brasil, Open Banking UK, CDR and RFC 7591 give to them. */

import { FederationError } from '../federation/errors.ts';
import type { JsonObject } from '../federation/json.ts';
import type { Metadata } from '../federation/metadata/metadata.ts';
import { resolveMetadata } from '../federation/metadata/resolve-metadata.ts';
import type { NumericDate } from '../federation/time.ts';
import type { Authority } from '../registry/authorities/authority.ts';
import { mergedPolicy } from '../registry/claims-input.ts';
import type { StatedApplication, StatedRole } from '../registry/entities/read-stated-application.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { heldRoles } from '../registry/roles/given-roles.ts';
import { keySetUrls } from './key-store-urls.ts';

/** In seconds; the longest that there is among directories. */
export const SOFTWARE_STATEMENT_LIFETIME_SECONDS = 600;

export interface SoftwareStatementBasis extends StatedApplication {
  authority: Authority;
  /** Where clients reach the service. */
  baseUrl: string;
  now: NumericDate;
  allowHttp: boolean;
  /** Tells it from all others. */
  jti: string;
}

/**
 * `iss` aside. `sub` is the id of the record and no Entity Identifier: nobody takes this for an Entity Statement.
 * @throws RegistryError policy_conflict when its metadata is not what policies want by now
 */
export function buildSoftwareStatement(basis: SoftwareStatementBasis): JsonObject {
  const { authority, entity, organisation, roles, organisationRoles, changesAt, baseUrl, now, jti } = basis;
  const client = clientMetadata(basis);
  const urls = keySetUrls(baseUrl, { organisationId: organisation.id, entityId: entity.id });
  const scope = [...new Set(roles.flatMap(({ scopes }) => scopes))].join(' ');
  return {
    iat: now,
    exp: Math.min(now + SOFTWARE_STATEMENT_LIFETIME_SECONDS, changesAt),
    jti,
    sub: entity.id,
    software_id: entity.id,
    software_client_id: entity.entityIdentifier,
    software_status: 'Active',
    software_mode: entity.mode === 'test' ? 'Test' : 'Live',
    software_environment: entity.environment,
    software_client_name: entity.name ?? client['client_name'] ?? entity.entityIdentifier,
    ...softwareNames(client),
    ...actsFor(basis),
    software_roles: roles.map(({ name }) => name),
    software_statement_roles: roles.map(({ name, domain }) => ({
      role: name,
      authorisation_domain: domain,
      status: 'Active',
    })),
    ...urls,
    org_id: organisation.id,
    org_name: organisation.legalName,
    ...(organisation.registrationNumber !== null && { org_number: organisation.registrationNumber }),
    org_status: 'Active',
    legal_entity_id: organisation.id,
    legal_entity_name: organisation.legalName,
    organisation_competent_authority_claims: organisationRoles.map((role) => authorityClaim(role, authority)),
    // What RFC 7591 lets a server take as it is.
    client_name: entity.name ?? entity.entityIdentifier,
    ...client,
    ...(scope !== '' && { scope }),
    jwks_uri: urls.software_jwks_uri,
  };
}

/** It acts for another organisation while both are active. */
function actsFor({ entity }: SoftwareStatementBasis): JsonObject {
  if (entity.onBehalfOf === null || entity.principalState !== 'active') return {};
  return { software_on_behalf_of_org: entity.onBehalfOf };
}

function authorityClaim({ name, domain, registrationId }: StatedRole, authority: Authority): JsonObject {
  return {
    authority_id: authority.id,
    authority_name: authority.name,
    authorisation_domain: domain,
    authorisation_role: name,
    ...(registrationId !== null && { registration_id: registrationId }),
    status: 'Active',
  };
}

/** Entity Types of clients; what the first says counts. */
const CLIENT_TYPES = ['openid_relying_party', 'oauth_client'];
const CLIENT_TEXTS = ['client_name', 'client_uri', 'logo_uri', 'policy_uri', 'tos_uri'] as const;

/** Of its metadata as a resolver sees it through the authority, what says who it is and where it may be sent. */
function clientMetadata(basis: SoftwareStatementBasis): JsonObject {
  const metadata = resolvedMetadata(basis);
  const client: JsonObject = {};
  for (const parameters of CLIENT_TYPES.map((type) => metadata[type] ?? {}).toReversed()) {
    for (const name of CLIENT_TEXTS) {
      const text = parameters[name];
      if (typeof text === 'string') client[name] = text;
    }
    const { redirect_uris: uris } = parameters;
    if (Array.isArray(uris)) client['redirect_uris'] = uris.filter((uri) => typeof uri === 'string');
  }
  return client;
}

function softwareNames({ client_uri, logo_uri, policy_uri, tos_uri, redirect_uris }: JsonObject): JsonObject {
  const names = {
    software_client_uri: client_uri,
    software_logo_uri: logo_uri,
    software_policy_uri: policy_uri,
    software_tos_uri: tos_uri,
    software_redirect_uris: redirect_uris,
  };
  return Object.fromEntries(Object.entries(names).filter(([, value]) => value !== undefined)) as JsonObject;
}

/**
 * What its configuration said when it was last looked at, under what its superior says now. Where nobody ever saw one,
 * as of what was handed over, what the superior says is all.
 */
function resolvedMetadata({ entity, authority, now, allowHttp }: SoftwareStatementBasis): Metadata {
  const { entityIdentifier, evidence, metadataPolicy: own } = entity;
  const claims = evidence['claims'] as JsonObject | undefined;
  if (claims === undefined) return entity.metadata as Metadata;
  const policies = { authorityDefault: authority.defaultMetadataPolicy, roles: heldRoles(entity.roles, now), own };
  const metadataPolicy = mergedPolicy(policies, entityIdentifier);
  try {
    return resolveMetadata({
      subject: entityIdentifier,
      metadata: (claims['metadata'] ?? {}) as Metadata,
      superiorMetadata: entity.metadata as Metadata,
      subordinateStatements: [{ place: 'ES[1]', metadataPolicy }],
      identifierOptions: { allowHttp },
    });
  } catch (cause) {
    if (!(cause instanceof FederationError)) throw cause;
    const message = `its metadata is not what policies want by now: ${cause.at} ${cause.message}; check it anew`;
    throw new RegistryError('policy_conflict', message, {}, { cause });
  }
}
