/** Documents that wait for a second admin: read, approved, rejected. */
import { createRoute, z } from '@hono/zod-openapi';
import {
  approveImport,
  listImports,
  readImport,
  readImportDifferences,
  rejectImport,
} from '../../../registry/transfer/stored-imports.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation, type Operation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { recordIdParam } from '../record-schema.ts';
import { TransitionReasonSchema } from '../transition-schema.ts';
import {
  ImportOutcomeSchema,
  outcomeBody,
  StoredImportPageSchema,
  StoredImportSchema,
  storedImportBody,
} from './import-schema.ts';

export const listImportsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/imports',
    operationId: 'listImports',
    tags: ['Import and export'],
    summary: 'List restores',
    description: `Documents that were handed in to be restored, the latest first. ${whoMayAsk('listImports')}`,
    security: BEARER,
    request: { query: z.strictObject(PAGE_PARAMETERS) },
    responses: { 200: jsonReply('A page of them.', StoredImportPageSchema), ...problems(400) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { now, actor } = changeContext(c.get('actor'), c.get('requestId'));
      const { items, ...rest } = await listImports(db, actor, c.req.valid('query'), now);
      return c.json({ items: items.map(storedImportBody), ...rest }, 200);
    },
);

export const readImportOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/imports/{importId}',
    operationId: 'readImport',
    tags: ['Import and export'],
    summary: 'Read a restore',
    description: whoMayAsk('readImport'),
    security: BEARER,
    request: { params: recordIdParam('importId') },
    responses: { 200: jsonReply('It, without its document.', StoredImportSchema), ...problems(400, 404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { now, actor } = changeContext(c.get('actor'), c.get('requestId'));
      return c.json(storedImportBody(await readImport(db, actor, c.req.valid('param').importId, now)), 200);
    },
);

export const readImportDifferencesOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/imports/{importId}/differences',
    operationId: 'readImportDifferences',
    tags: ['Import and export'],
    summary: 'Read what a restore would change',
    description: `What one that waits would change if it were approved now: read it before you do. It is tried and undone, so this takes as long as an import. ${whoMayAsk('readImportDifferences')}`,
    security: BEARER,
    request: { params: recordIdParam('importId') },
    responses: {
      200: jsonReply('What would change; `seq` and `stored` are null.', ImportOutcomeSchema),
      ...problems(400, 404, 409, 412, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { importId } = c.req.valid('param');
      const { digest } = await readImport(context.db, context.actor, importId, context.now);
      return c.json(outcomeBody(await readImportDifferences(context, importId), digest, null), 200);
    },
);

const DECISIONS = {
  approve: {
    decide: approveImport,
    effect:
      'Applies the document as it is, in one change, or is refused as an import is. Whoever handed it in cannot approve it (`four_eyes`).',
  },
  reject: { decide: rejectImport, effect: 'The document is forgotten.' },
} as const;

export const decideImportOperations: readonly Operation[] = (['approve', 'reject'] as const).map((name) => {
  const { decide, effect } = DECISIONS[name];
  const operationId = `${name}Import` as const;
  const route = createRoute({
    method: 'post',
    path: `/api/v1/imports/{importId}/${name}`,
    operationId,
    tags: ['Import and export'],
    summary: `${name === 'approve' ? 'Approve' : 'Reject'} a restore`,
    description: `${effect} ${whoMayAsk(operationId)}`,
    security: BEARER,
    request: { params: recordIdParam('importId'), body: jsonBody(TransitionReasonSchema) },
    responses: { 200: jsonReply('It as it is now.', StoredImportSchema), ...bodyProblems(404, 409, 412, 422) },
  });
  return defineOperation(route, ({ changeContext }) => async (c) => {
    const context = changeContext(c.get('actor'), c.get('requestId'));
    const stored = await decide(context, c.req.valid('param').importId, c.req.valid('json').reason);
    return c.json(storedImportBody(stored), 200);
  });
});
