/** Imports a document: tries it, applies it, or keeps it for a second admin. */
import { createRoute, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { ACCESS } from '../../../registry/access.ts';
import { authorise } from '../../../registry/actor.ts';
import { MAX_DOCUMENT_BYTES, MAX_DOCUMENT_DEPTH, readDocument } from '../../../registry/transfer/import-document.ts';
import { importRegistry } from '../../../registry/transfer/import-registry.ts';
import {
  documentDigest,
  IMPORT_WAITING_DAYS,
  requestRestore,
  tryRestore,
} from '../../../registry/transfer/stored-imports.ts';
import { bodyReader } from '../../middleware/json-body.ts';
import type { ApiEnv } from '../api-env.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { DocumentSchema, ImportOutcomeSchema, outcomeBody } from './import-schema.ts';

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true')
  .openapi({ type: 'boolean', default: false });

const readLarge = bodyReader({ maxBytes: MAX_DOCUMENT_BYTES, maxDepth: MAX_DOCUMENT_DEPTH });

/** Nobody sends so much who could not import it. */
const readDocumentBody: MiddlewareHandler<ApiEnv> = (c, next) => {
  authorise(c.get('actor'), ACCESS.importRegistry.roles, null);
  return readLarge(c, next);
};

export const importRegistryOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/imports',
    operationId: 'importRegistry',
    tags: ['Import and export'],
    summary: 'Import a document',
    description: [
      'Makes new what the document has and the registry has not, and changes settings of what is here, all in one change or nothing; what the document does not name stays. Everything that is wrong with it is listed in `errors`, at its JSON Pointer. The same document once more changes nothing and takes no `seq`.',
      `Organisations and entities arrive \`pending\` (closed ones closed), with nothing that checks elsewhere saw; what decides about members that are here is left as it is. With \`restore\` all of it is as in the document: that waits for another admin (\`POST /api/v1/imports/{importId}/approve\`), for ${IMPORT_WAITING_DAYS} days.`,
      `An imported authority has no key that signs until one is rolled in. A document has at most ${MAX_DOCUMENT_BYTES} bytes. ${whoMayAsk('importRegistry')}`,
    ].join('\n\n'),
    security: BEARER,
    request: {
      query: z.strictObject({
        dryRun: flag.openapi({ description: 'Shows what would change, and changes nothing.' }),
        restore: flag.openapi({ description: 'As it is, states included, once another admin approved it.' }),
      }),
      body: jsonBody(DocumentSchema),
    },
    responses: {
      200: jsonReply('What changed, or would change.', ImportOutcomeSchema),
      202: jsonReply('A restore that waits for its approval, and what it will change.', ImportOutcomeSchema),
      ...bodyProblems(409, 412, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { dryRun: isDryRun, restore } = c.req.valid('query');
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const [json, document] = [c.get('bodyBytes'), await readDocument(c.get('body'))];
      const digest = documentDigest(json);
      if (!restore)
        return c.json(outcomeBody(await importRegistry(context, document, { isDryRun, digest }), digest, null), 200);
      if (isDryRun) return c.json(outcomeBody(await tryRestore(context, document), digest, null), 200);
      const { stored, outcome } = await requestRestore(context, document, json);
      return c.json(outcomeBody(outcome, digest, stored.id), 202);
    },
  readDocumentBody,
);
