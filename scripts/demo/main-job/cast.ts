/** Who plays in the main job: names, what the partners publish of themselves, and the policies that change it. */
import type { JsonObject } from '../../../src/federation/json.ts';
import type { Metadata } from '../../../src/federation/metadata/metadata.ts';

export const TRUST_ANCHOR = {
  name: 'Example Federation',
  /** Good algorithms for all, one contact that everybody has, no implicit flow for Relying Parties. */
  policy: {
    openid_provider: {
      id_token_signing_alg_values_supported: { subset_of: ['ES256', 'PS256'] },
    },
    openid_relying_party: {
      id_token_signed_response_alg: { default: 'ES256', one_of: ['ES256', 'PS256'] },
      grant_types: { subset_of: ['authorization_code'] },
      contacts: { add: ['cert@fed.example'] },
    },
  },
} as const;

export const INTERMEDIATE = {
  name: 'Example Education',
  path: '/education',
  /** Stricter for its own providers: the code flow and pairwise subjects only. */
  policy: {
    openid_provider: {
      response_types_supported: { subset_of: ['code'] },
      subject_types_supported: { subset_of: ['pairwise'], essential: true },
    },
  },
} as const;

/** What the Intermediate says of providers that it looked at; the Trust Anchor lists it as the issuer. */
export const TRUST_MARK = {
  name: 'Assured Identities',
  path: '/marks/assured-identities',
  eligibility: { entityTypes: ['openid_provider'] },
  lifetimeSeconds: 86_400,
} as const;

export interface Part {
  role: string;
  /** Name of its folder and its files. */
  folder: string;
  organisation: string;
  contact: string;
  entityType: string;
  /** Metadata of the Entity Type as the partner publishes it. */
  published: (entity: string) => JsonObject;
  /** Parameters that the policies must change, and to what. */
  afterPolicy: JsonObject;
}

export const PROVIDER: Part = {
  role: 'OpenID Provider',
  folder: 'openid-provider',
  organisation: 'Example University',
  contact: 'idp@uni.example',
  entityType: 'openid_provider',
  published: (entity) => ({
    issuer: entity,
    client_registration_types_supported: ['automatic'],
    authorization_endpoint: `${entity}/authorize`,
    token_endpoint: `${entity}/token`,
    jwks_uri: `${entity}/jwks`,
    response_types_supported: ['code', 'id_token'],
    subject_types_supported: ['public', 'pairwise'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256'],
  }),
  afterPolicy: {
    response_types_supported: ['code'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['ES256'],
  },
};

export const RELYING_PARTY: Part = {
  role: 'Relying Party',
  folder: 'relying-party',
  organisation: 'Example Library',
  contact: 'it@lib.example',
  entityType: 'openid_relying_party',
  published: (entity) => ({
    client_registration_types: ['automatic'],
    redirect_uris: [`${entity}/callback`],
    response_types: ['code'],
    grant_types: ['authorization_code', 'implicit'],
    token_endpoint_auth_method: 'private_key_jwt',
    contacts: ['it@lib.example'],
  }),
  afterPolicy: {
    grant_types: ['authorization_code'],
    id_token_signed_response_alg: 'ES256',
    contacts: ['it@lib.example', 'cert@fed.example'],
  },
};

export interface PolicyChange {
  parameter: string;
  before: unknown;
  after: unknown;
  /** Names of the authorities whose policies speak of the parameter. */
  by: string[];
}

/** What the policies did to the metadata of one Entity Type. */
export function policyChanges(entityType: string, published: Metadata, resolved: Metadata): PolicyChange[] {
  const before = published[entityType] ?? {};
  const after = resolved[entityType] ?? {};
  const parameters = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return parameters
    .filter((parameter) => JSON.stringify(before[parameter]) !== JSON.stringify(after[parameter]))
    .map((parameter) => ({
      parameter,
      before: before[parameter],
      after: after[parameter],
      by: [TRUST_ANCHOR, INTERMEDIATE]
        .filter(({ policy }) => parameter in ((policy as Record<string, object>)[entityType] ?? {}))
        .map(({ name }) => name),
    }));
}
