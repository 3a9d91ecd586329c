/** The OpenAPI 3.1 document of everything that is served: API, health, pages and federation endpoints. */
import { OpenAPIHono } from '@hono/zod-openapi';
import { stringify } from 'yaml';
import { FORWARD_AUTH_ROUTE } from '../admission/forward-auth-route.ts';
import { OPERATIONS } from '../api/operations.ts';
import { CERTIFICATION_AUTHORITY_ROUTES } from '../certification/certification-authority-routes.ts';
import { OCSP_ROUTES } from '../certification/ocsp-routes.ts';
import { REVOCATION_LIST_ROUTE } from '../certification/revocation-list-route.ts';
import { EST_ROUTES } from '../est/est-routes.ts';
import { KEY_STORE_ROUTES } from '../keystore/key-store-routes.ts';
import { PAGE_ROUTES } from '../pages/page-routes.ts';
import { PARTICIPANTS_ROUTE } from '../participants/participants-route.ts';
import { SECURITY_SCHEMES } from '../security-schemes.ts';
import { FEDERATION_PATHS, FEDERATION_TAG } from './federation-paths.ts';
import { SUBORDINATE_PATHS } from './subordinate-paths.ts';

export type OpenApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>;

const DESCRIPTION = `Holdfast runs Trust Anchors and Intermediates of OpenID Federation 1.0.

The **API** below \`/api/v1\` takes and gives JSON. Claims of the standard keep their names; all else is camelCase. A token goes into \`Authorization: Bearer\`; each operation says which role it needs. Unknown fields, unknown query parameters and duplicate JSON members are refused; bodies have at most 256 KiB.

Errors are problems of RFC 9457: \`code\` is stable, \`errors\` point to wrong fields. Records carry a version as \`ETag\`; changes name the one that you saw in \`If-Match\`. A creating request with an \`Idempotency-Key\` may be repeated. Lists come in pages: send \`next\` as \`cursor\`.

A change is in effect here when it is answered. Should this node not catch up with its own change in time, the answer still tells what was recorded and carries \`Holdfast-Pending-Seq\`: it takes effect here when \`/readyz\` shows that \`seq\` or a later one; until then, from a second on, federation endpoints of this node answer 503 rather than with what was true before.

**Gateways** ask \`/api/v1/admission/http\` before each request: with any method, at any path below it, without body, as an enforcement point, with the client's certificate in the header of the form that its record names, and its access token in \`Authorization\`. The answer is 200 with \`Holdfast-Participant\`, \`-Application\`, \`-Organisation\`, \`-On-Behalf-Of\`, \`-Roles\`, \`-Seq\` and \`-Valid-Until\`, 401 (no certificate, or no enforcement point) or 403, with \`Holdfast-Reason\`, and no other, whatever happens.

The **federation endpoints** belong to each authority, below its Entity Identifier, and answer as the standard says.

Examples take the address of the service from \`HOLDFAST_URL\` and a token from \`HOLDFAST_TOKEN\`.`;

const TAGS = [
  { name: FEDERATION_TAG, description: 'Public, of every authority, below its Entity Identifier.' },
  { name: 'Authorities', description: 'Our own Trust Anchors and Intermediates.' },
  { name: 'Organisations', description: 'Who is responsible for entities.' },
  { name: 'Enrolments', description: 'How an entity is let in: steps, their evidence, and approvals.' },
  { name: 'Entities', description: 'Applications and Intermediates that an authority vouches for.' },
  { name: 'Hosted entities', description: 'Those without a web server, whose configurations are published here.' },
  {
    name: 'Credentials',
    description:
      'Certificates and keys of entities: whose they are, and whether they count. Each has a version of its own: that of its entity stays as it is, and so does what is said about that.',
  },
  { name: 'Key stores', description: 'Public keys and certificates of members, for everybody.' },
  {
    name: 'Certification authorities',
    description: 'Those of our own: who issues certificates to the entities of an authority, and what they publish.',
  },
  {
    name: 'Certificates',
    description:
      'What is asked of certification authorities of ours. What they issue is a credential of its entity: it is held, released and revoked as such.',
  },
  { name: 'EST', description: 'Certificates for machines: the first with a code, the next with the one before.' },
  { name: 'Roles', description: 'What organisations and their entities may be, and what that implies.' },
  { name: 'APIs', description: 'What entities offer: authorization servers, and the APIs that these protect.' },
  { name: 'Trust Marks', description: 'Types of Trust Marks that our authorities issue, and who bears them.' },
  { name: 'Trust Anchors', description: 'Trust Anchors of others, with pinned keys.' },
  { name: 'Trust list', description: 'Certification authorities whose certificates count.' },
  { name: 'Resolutions', description: 'What an entity resolves to, and why it does not.' },
  { name: 'Findings', description: 'What is not as it should be: orphans, lapses, drift.' },
  { name: 'Exceptions', description: 'What an entity is excused from, until when, and who said so.' },
  {
    name: 'Admission',
    description: 'Who may pass at gateways and servers, what was answered there, and which changes have come there.',
  },
  { name: 'Events', description: 'What happened, for those who depend on it.' },
  { name: 'Webhooks', description: 'Who is told of events, and how far that has come.' },
  { name: 'Directory', description: 'Participants and what they offer, for everybody.' },
  { name: 'Status', description: 'Who is in, for everybody, and what changed since.' },
  { name: 'Audit', description: 'Who changed what, when and why.' },
  { name: 'Import and export', description: 'The registry as reviewable files, and back.' },
  { name: 'Jobs', description: 'What happens by itself, and how that fares.' },
  { name: 'Tokens', description: 'Who may use this API.' },
  { name: 'Health', description: 'For supervisors and load balancers.' },
  { name: 'Pages', description: 'For people.' },
];

export function buildOpenApiDocument(): OpenApiDocument {
  const app = new OpenAPIHono();
  const { openAPIRegistry } = app;
  for (const [name, scheme] of Object.entries(SECURITY_SCHEMES)) {
    openAPIRegistry.registerComponent('securitySchemes', name, scheme);
  }
  for (const route of [...FEDERATION_PATHS, ...SUBORDINATE_PATHS]) openAPIRegistry.registerPath(route);
  for (const { route } of OPERATIONS) openAPIRegistry.registerPath(route);
  for (const route of KEY_STORE_ROUTES) openAPIRegistry.registerPath(route);
  for (const route of CERTIFICATION_AUTHORITY_ROUTES) openAPIRegistry.registerPath(route);
  openAPIRegistry.registerPath(REVOCATION_LIST_ROUTE);
  for (const route of OCSP_ROUTES) openAPIRegistry.registerPath(route);
  for (const route of EST_ROUTES) openAPIRegistry.registerPath(route);
  openAPIRegistry.registerPath(FORWARD_AUTH_ROUTE);
  openAPIRegistry.registerPath(PARTICIPANTS_ROUTE);
  for (const route of PAGE_ROUTES) openAPIRegistry.registerPath(route);
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Holdfast',
      version: '1.0.0',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/', description: 'This service.' }],
    tags: TAGS,
  });
  shareProblems(document);
  return document;
}

/** Problems are described once, in components, instead of in every operation; those that say more stay where they are. */
function shareProblems(document: OpenApiDocument): void {
  const shared: NonNullable<NonNullable<OpenApiDocument['components']>['responses']> = {};
  for (const path of Object.values(document.paths ?? {})) {
    for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
      const responses = path[method]?.responses ?? {};
      for (const [status, response] of Object.entries(responses)) {
        if (response.content?.['application/problem+json'] === undefined) continue;
        const usual = shared[`Problem${status}`] ?? response;
        shared[`Problem${status}`] = usual;
        if (JSON.stringify(usual) !== JSON.stringify(response)) continue;
        responses[status] = { $ref: `#/components/responses/Problem${status}` };
      }
    }
  }
  document.components = { ...document.components, responses: shared };
}

/** The text of openapi.yaml. */
export function openApiYaml(): string {
  const comment = '# Generated by `npm run openapi`; do not edit.\n';
  return comment + stringify(buildOpenApiDocument(), { lineWidth: 120, aliasDuplicateObjects: false });
}
