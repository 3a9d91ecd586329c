/** Exports the audit trail, a line an entry. */
import { createRoute, z } from '@hono/zod-openapi';
import { type ExportedAuditRow, exportAudit } from '../../../registry/audit/export-audit.ts';
import { BEARER, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';

/** Not as a literal: of a literal the types would take it for JSON that a handler returns whole. */
const NDJSON: string = 'application/x-ndjson';

const AfterSchema = z
  .string()
  .regex(/^\d{1,15}$/, 'is the number of a change')
  .transform(Number)
  .openapi({ type: 'integer', minimum: 0, description: 'Leaves out changes up to this one, exported before.' });

export const exportAuditOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/audit/export',
    operationId: 'exportAudit',
    tags: ['Audit'],
    summary: 'Export the audit trail',
    description: `All entries in their order as NDJSON, up to the present change: an \`AuditEntry\` a line, with the hash of the entry before it as \`previousHash\`. \`holdfast audit verify --file\` checks it without us. ${whoMayAsk('exportAudit')}`,
    security: BEARER,
    request: { query: z.strictObject({ after: AfterSchema.optional() }) },
    responses: {
      200: {
        description: 'The trail; it is whole if the body ends properly.',
        content: { [NDJSON]: { schema: z.string() } },
      },
      ...problems(400),
    },
  }),
  ({ db }) =>
    async (c) => {
      const { after } = c.req.valid('query');
      const batches = await exportAudit(db, c.get('actor'), after);
      return c.body(ReadableStream.from(linesOf(batches)), 200, {
        'content-type': NDJSON,
        'content-disposition': 'attachment; filename="holdfast-audit.ndjson"',
      });
    },
);

const UTF_8 = new TextEncoder();

async function* linesOf(batches: AsyncIterable<ExportedAuditRow[]>): AsyncGenerator<Uint8Array> {
  for await (const rows of batches) yield UTF_8.encode(rows.map(lineOf).join(''));
}

/** What some readers take for the end of a line JSON leaves as it is within texts. */
function lineOf(row: ExportedAuditRow): string {
  const json = JSON.stringify(row).replace(/[\u0085\u2028\u2029]/g, (end) => `\\u${hex(end.charCodeAt(0))}`);
  return `${json}\n`;
}

function hex(code: number): string {
  return code.toString(16).padStart(4, '0');
}
