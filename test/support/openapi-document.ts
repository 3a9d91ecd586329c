/** What the OpenAPI document declares of an answer, as a schema that is made from the document alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

interface Described {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, Response> }>>;
  components: { schemas: Record<string, unknown>; responses: Record<string, Response> };
}

type Schemas = Record<string, z.core.JSONSchema.JSONSchema>;

interface Response {
  $ref?: string;
  content?: Record<string, { schema: object }>;
}

const document: Described = parse(readFileSync(join(import.meta.dirname, '../../openapi.yaml'), 'utf8'));

/** Of OpenAPI 3.1. */
const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Named schemas where JSON Schema looks for them. */
const $defs = atHome(document.components.schemas);

const schemas = new Map<string, z.ZodType>();

/**
 * The schema of a body; undefined where the document declares none for this status and media type.
 * @throws Error when the operation is not in the document
 */
export function documentedSchema(operationId: string, status: number, mediaType: string): z.ZodType | undefined {
  const key = `${operationId} ${status} ${mediaType}`;
  const known = schemas.get(key);
  if (known !== undefined) return known;
  const operation = Object.values(document.paths)
    .flatMap((methods) => Object.values(methods))
    .find((one) => one.operationId === operationId);
  if (operation === undefined) throw new Error(`openapi.yaml knows no operation ${operationId}`);
  const named = operation.responses[status];
  const response =
    named?.$ref === undefined ? named : document.components.responses[named.$ref.split('/').at(-1) ?? ''];
  const schema = response?.content?.[mediaType]?.schema;
  if (schema === undefined) return undefined;
  const made = z.fromJSONSchema({ ...atHome(schema), $schema: DIALECT, $defs });
  schemas.set(key, made);
  return made;
}

function atHome(schema: object): Schemas {
  const text = JSON.stringify(schema).replaceAll('#/components/schemas/', '#/$defs/');
  // zod would take a relative reference for a URL that is wrong.
  return JSON.parse(text, (_name, value) => (value === 'uri-reference' ? undefined : value));
}
