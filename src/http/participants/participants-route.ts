/** `/participants` in the OpenAPI document; the door before the framework answers it. */
import { createRoute, z } from '@hono/zod-openapi';
import { problems } from '../api/exchange.ts';
import { PARTICIPANTS_MAX_AGE_SECONDS, PARTICIPANTS_PATH } from './participants-door.ts';

const text = z.string();
const day = (example: string) => z.string().optional().openapi({ example });

const ApiResourceSchema = z
  .looseObject({
    ApiResourceId: text,
    ApiFamilyType: text,
    ApiVersion: text.openapi({ description: 'Without a pre-release.', example: '2.1.0' }),
    CertificationStatus: z.enum(['Awaiting Certification', 'Certified', 'Deprecated', 'Rejected', 'Self-Certified']),
    CertificationStartDate: day('31/01/2027'),
    CertificationExpirationDate: day('31/01/2028'),
    ApiCertificationUri: text.optional(),
    Status: z.enum(['Active']),
    ApiDiscoveryEndpoints: z.array(z.looseObject({ ApiDiscoveryId: text, ApiEndpoint: text })),
  })
  .openapi('ParticipantApiResource');

const AuthorisationServerSchema = z
  .looseObject({
    AuthorisationServerId: text,
    OrganisationId: text,
    CustomerFriendlyName: text,
    Issuer: text,
    OpenIDDiscoveryDocument: text.optional().openapi({ description: 'Of OpenID Providers.' }),
    PayloadSigningCertLocationUri: text.openapi({ description: 'Its application in our key store.' }),
    FederationId: text.openapi({ description: 'The Entity Identifier.' }),
    FederationEndpoint: text,
    DeprecatedDate: day('2027-01-31'),
    RetirementDate: day('2028-01-31'),
    SupersededByAuthorisationServerId: text.optional(),
    Status: z.enum(['Active']),
    ApiResources: z.array(ApiResourceSchema),
    AuthorisationServerCertifications: z.array(z.unknown()).openapi({ description: 'None are recorded.' }),
  })
  .openapi('ParticipantAuthorisationServer');

const ClaimStatusSchema = z.enum(['Active', 'Inactive']);

const OwnSchema = z
  .looseObject({
    authority: z.object({ id: text, entityIdentifier: text, name: text }),
    state: z.enum(['active']),
    stateChangedAt: text,
    applications: z.array(
      z.looseObject({
        id: text,
        entityIdentifier: text,
        name: text.nullable(),
        mode: z.enum(['live', 'test']),
        environment: text,
        entityTypes: z.array(text),
        registeredAt: text.nullable(),
        roles: z.array(z.object({ roleId: text, name: text, domain: text })),
      }),
    ),
    authorizationServers: z.array(z.looseObject({ id: text, applicationId: text, issuer: text })),
  })
  .openapi('ParticipantOwnMember', {
    description: 'What only we say: all active applications, those of test mode too, exact dates, whole versions.',
  });

const ParticipantSchema = z
  .looseObject({
    OrganisationId: text,
    Status: z.enum(['Active']),
    OrganisationName: text,
    CreatedOn: text,
    LegalEntityName: text,
    CountryOfRegistration: text.optional(),
    CompanyRegister: text.optional(),
    RegistrationNumber: text.optional(),
    RegisteredName: text,
    ParentOrganisationReference: text.optional(),
    AuthorisationServers: z.array(AuthorisationServerSchema).openapi({ description: 'Of live applications.' }),
    OrgDomainClaims: z.array(z.looseObject({ AuthorisationDomainName: text, Status: ClaimStatusSchema })),
    OrgDomainRoleClaims: z.array(
      z.looseObject({
        OrganisationAuthorityClaimId: text,
        AuthorisationDomain: text,
        Role: text,
        Status: ClaimStatusSchema,
        Authorisations: z.array(z.object({ Status: ClaimStatusSchema, MemberState: text })),
        RegistrationId: text.optional(),
      }),
    ),
    Holdfast: OwnSchema,
  })
  .openapi('Participant');

const HEADERS = {
  ETag: { description: 'Strong; for `If-None-Match`.', schema: { type: 'string' as const } },
  'Cache-Control': {
    description: 'So long others may keep it.',
    schema: { type: 'string' as const, example: `public, max-age=${PARTICIPANTS_MAX_AGE_SECONDS}` },
  },
  'X-Registry-Seq': {
    description: 'The change of the registry as of which it is, whole.',
    schema: { type: 'integer' as const, example: 42 },
  },
};

const { 400: INVALID, 404: NOT_FOUND, 500: FAULT, 503: UNCONFIRMED } = problems(400, 404);

export const PARTICIPANTS_ROUTE = createRoute({
  method: 'get',
  path: PARTICIPANTS_PATH,
  operationId: 'readParticipants',
  tags: ['Directory'],
  summary: 'Read all participants',
  description:
    'All active organisations with what they run and offer, in the shape of the directory of Open Finance Brasil, and one member of ours, `Holdfast`. Whoever is suspended is absent until reinstated, and so is what has retired. Compressed for who accepts gzip. The same change of the registry gives the same bytes, as long as no date comes. Needs no token.',
  security: [],
  request: {
    query: z.strictObject({
      authority: text.optional().openapi({ description: 'Those of one authority, by id or Entity Identifier.' }),
    }),
  },
  responses: {
    200: {
      description: 'The participants, in the order of their authorities and ids.',
      headers: HEADERS,
      content: { 'application/json': { schema: z.array(ParticipantSchema) } },
    },
    304: { description: 'Nothing has changed since that `ETag`.', headers: HEADERS },
    400: INVALID,
    404: NOT_FOUND,
    500: FAULT,
    503: UNCONFIRMED,
  },
});
