/** Who plays in the directory: an open banking federation, a payment service and a bank of people with tokens. */
import type { JsonObject } from '../../../src/federation/json.ts';

export const AUTHORITY = { name: 'Example Banking' } as const;

/** The terms of the federation in the version that counts. */
export const TERMS = { version: '2027-1', uri: 'https://open-banking.example/terms' } as const;

/** What every enrolment goes through. */
export const FLOW = [
  { step: 'identity', registration: true },
  { step: 'domain', methods: ['https'] },
  { step: 'keys' },
  { step: 'configuration' },
  { step: 'metadata_policy' },
  { step: 'roles' },
  { step: 'contacts', types: ['incident', 'technical'] },
  { step: 'terms', ...TERMS },
  { step: 'approvals' },
];

/** What somebody in the role may do, and may publish. */
export const ROLE = {
  domain: 'Open Banking',
  name: 'PISP',
  description: 'Payment Initiation Service Provider',
  scopes: ['openid', 'payments'],
  policy: {
    openid_relying_party: {
      grant_types: { subset_of: ['authorization_code'] },
      token_endpoint_auth_method: { value: 'private_key_jwt' },
      scope: { superset_of: ['openid', 'payments'] },
    },
  },
  /** So many people let an entity have it. */
  approvals: 2,
} as const;

export const PARTNER = {
  role: 'Payment service',
  folder: 'payment-service',
  entityType: 'openid_relying_party',
  legalName: 'Example Payments Ltd',
  registration: { number: '05123456', register: 'Companies House', country: 'GB' },
  registrationId: 'PSDGB-FCA-123456',
  contacts: [
    { type: 'incident', email: 'incident@payments.example' },
    { type: 'technical', email: 'it@payments.example' },
  ],
  signatory: 'Pat Payments',
  published: (entity: string): JsonObject => ({
    client_registration_types: ['automatic'],
    redirect_uris: [`${entity}/callback`],
    response_types: ['code'],
    grant_types: ['authorization_code', 'client_credentials'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'openid payments',
  }),
  /** What is wrong with it at first: the role wants the scope payments. */
  mistake: { scope: 'openid' },
  /** What the policy of the role must make of it; the rest stays. */
  afterPolicy: {
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'private_key_jwt',
  },
} as const;

/** Whoever works for the federation, each with a token of his own. Rita may approve, too: but nothing of her own. */
export const STAFF = [
  { name: 'Rita Registrar', roles: ['registrar', 'approver'] },
  { name: 'Anna Approver', roles: ['approver'] },
  { name: 'Otto Approver', roles: ['approver'] },
] as const;
