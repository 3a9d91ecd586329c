/** Holds, releases or revokes a credential. */
import { createRoute, z } from '@hono/zod-openapi';
import {
  HOLD_TRANSITIONS,
  type HoldTransition,
  holdCredential,
} from '../../../registry/credentials/hold-credential.ts';
import { revokeCredential } from '../../../registry/credentials/revoke-credential.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation, type Operation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { ReasonSchema } from '../text-schema.ts';
import { CredentialRevocationSchema, CredentialSchema, credentialBody } from './credential-schema.ts';

const HoldSchema = z.strictObject({ reason: ReasonSchema }).openapi('CredentialHold');

const EFFECTS: Readonly<Record<HoldTransition, string>> = {
  hold: 'It counts no more until it is released: for a certificate that may be lost.',
  release: 'It counts again. Members hold their own, and have them released.',
};

export const transitionCredentialOperations: readonly Operation[] = [
  ...HOLD_TRANSITIONS.map(holdOperation),
  revokeOperation(),
];

function holdOperation(transition: HoldTransition): Operation {
  const route = createRoute({
    method: 'post',
    path: `/api/v1/credentials/{credentialId}/${transition}`,
    operationId: `${transition}Credential`,
    tags: ['Credentials'],
    summary: `${transition[0]?.toUpperCase()}${transition.slice(1)} a credential`,
    description: `${EFFECTS[transition]} ${whoMayAsk(transition === 'hold' ? 'holdCredential' : 'releaseCredential')}`,
    security: BEARER,
    request: {
      params: recordIdParam('credentialId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(HoldSchema),
    },
    responses: {
      200: jsonReply('The credential as it is now.', CredentialSchema, ['ETag']),
      ...bodyProblems(404, 409, 412),
    },
  });
  return defineOperation(route, ({ changeContext }) => async (c) => {
    const context = changeContext(c.get('actor'), c.get('requestId'));
    const { credentialId } = c.req.valid('param');
    const { reason } = c.req.valid('json');
    const version = expectedVersion(c.req.valid('header'));
    const credential = await holdCredential(context, credentialId, transition, reason, version);
    return c.json(credentialBody(credential, context.now), 200, { ETag: entityTag(credential) });
  });
}

function revokeOperation(): Operation {
  const route = createRoute({
    method: 'post',
    path: '/api/v1/credentials/{credentialId}/revoke',
    operationId: 'revokeCredential',
    tags: ['Credentials'],
    summary: 'Revoke a credential',
    description: `Final, and at once. To revoke it again for the same reason changes nothing. ${whoMayAsk('revokeCredential')}`,
    security: BEARER,
    request: {
      params: recordIdParam('credentialId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(CredentialRevocationSchema),
    },
    responses: {
      200: jsonReply('The credential as it is now.', CredentialSchema, ['ETag']),
      ...bodyProblems(404, 409, 412),
    },
  });
  return defineOperation(route, ({ changeContext }) => async (c) => {
    const context = changeContext(c.get('actor'), c.get('requestId'));
    const { credentialId } = c.req.valid('param');
    const version = expectedVersion(c.req.valid('header'));
    const credential = await revokeCredential(context, credentialId, c.req.valid('json'), version);
    return c.json(credentialBody(credential, context.now), 200, { ETag: entityTag(credential) });
  });
}
