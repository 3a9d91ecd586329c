/** Exports the registry, a line a record. */
import { createRoute, z } from '@hono/zod-openapi';
import { EXPORT_FORMAT, exportRegistry } from '../../../registry/transfer/export-registry.ts';
import { KIND_NAMES } from '../../../registry/transfer/record-kind.ts';
import { BEARER, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';

/** Not as a literal: of a literal the types would take it for JSON that a handler returns whole. */
const NDJSON: string = 'application/x-ndjson';

export const exportRegistryOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/export',
    operationId: 'exportRegistry',
    tags: ['Import and export'],
    summary: 'Export the registry',
    description: [
      `The registry at one moment as NDJSON: \`{"format": "${EXPORT_FORMAT}", "seq"}\`, then \`{"kind", "record"}\` for each record, then \`{"records"}\`, how many there were; without that line it broke off. Kinds in this order: ${KIND_NAMES.map((name) => `\`${name}\``).join(', ')}; records of a kind by id.`,
      'Public keys only: no token, no secret, no webhook, no evidence of decisions. `holdfast export` makes reviewable files of it, `holdfast import` reads these.',
      whoMayAsk('exportRegistry'),
    ].join('\n\n'),
    security: BEARER,
    responses: {
      200: {
        description: 'The registry; it is whole if its last line is there.',
        content: { [NDJSON]: { schema: z.string() } },
      },
      ...problems(),
    },
  }),
  ({ db }) =>
    async (c) => {
      const lines = await exportRegistry(db, c.get('actor'));
      return c.body(ReadableStream.from(lines), 200, {
        'content-type': NDJSON,
        'content-disposition': 'attachment; filename="holdfast-registry.ndjson"',
      });
    },
);
