/** Adds a credential to an entity. */
import { createRoute, z } from '@hono/zod-openapi';
import { addCredential } from '../../../registry/credentials/add-credential.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { CredentialSchema, credentialBody, materialOf, NewCredentialSchema } from './credential-schema.ts';

export const addCredentialOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/entities/{entityId}/credentials',
    operationId: 'addCredential',
    tags: ['Credentials'],
    summary: 'Add a certificate or key',
    description: [
      "It counts while it is active and valid, its entity is active, and its organisation too. Its path to the authority's trust list is validated (RFC 5280 §6) and kept. Where the use is among the authority's `listedPurposes`, nothing without one is taken: `chain_untrusted`, with `reason`, `rule` and the `certificate` of the chain that it is about. Send the certificates between it and the list along.",
      "A certificate that names somebody else than the record is refused, listed or not (`subject_mismatch`): an organisation identifier (2.5.4.97) of the register on record with another number or country; a `UID` with the id, a URI with the Entity Identifier, or, of another organisation, a host name with the host of another entity, if none is this entity's. Where the use is listed, one of its web URIs is on the host of the Entity Identifier or on a domain that the organisation proved.",
      'A key for `transport` is of one entity in one environment: `credential_in_use` if another one has it, whoever that is. With a `proof` it is taken over from another entity of the authority that gave none, whose credentials with it are revoked. An Entity Identifier has credentials that count in one environment only: `wrong_environment`. What is wrong with a certificate is said by `reason`.',
      whoMayAsk('addCredential'),
    ].join('\n\n'),
    security: BEARER,
    request: {
      params: recordIdParam('entityId'),
      headers: z.object(IDEMPOTENCY_KEY),
      body: jsonBody(NewCredentialSchema),
    },
    responses: {
      201: jsonReply('The credential.', CredentialSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { usage, environment, proof, ...material } = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const credential = await addCredential(
        context,
        c.req.valid('param').entityId,
        { usage, environment, proof, material: materialOf(material) },
        idempotencyOf(c.req.valid('header'), request),
      );
      const headers = { ETag: entityTag(credential), Location: `/api/v1/credentials/${credential.id}` };
      return c.json(credentialBody(credential, context.now), 201, headers);
    },
);
