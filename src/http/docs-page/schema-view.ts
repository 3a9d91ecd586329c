/** Reads schemas of the OpenAPI document for the documentation page: types, fields, examples. */
import type { JsonObject, JsonValue } from '../../federation/json.ts';
import type { OpenApiDocument } from '../openapi/document.ts';

type Components = NonNullable<OpenApiDocument['components']>;
export type SchemaOrRef = NonNullable<Components['schemas']>[string];
export type Schema = Exclude<SchemaOrRef, { $ref: string }>;

export interface Field {
  name: string;
  isRequired: boolean;
  schema: SchemaOrRef;
}

/** The last segment of a reference: the name of what it refers to. */
export function refName(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}

/** The schema itself, wherever it stands. */
export function resolveSchema(schema: SchemaOrRef, components: Components): Schema {
  if (!('$ref' in schema) || schema.$ref === undefined) return schema as Schema;
  const found = components.schemas?.[refName(schema.$ref)];
  if (found === undefined) throw new Error(`the OpenAPI document lacks ${schema.$ref}`);
  return resolveSchema(found, components);
}

/** Fields of an object, those of its parts included. */
export function fieldsOf(schema: SchemaOrRef, components: Components): Field[] {
  const { properties = {}, required = [], allOf = [] } = resolveSchema(schema, components);
  const inherited = allOf.flatMap((part) => fieldsOf(part, components));
  const own = Object.entries(properties).map(([name, field]) => ({
    name,
    isRequired: required.includes(name),
    schema: field,
  }));
  return [...inherited, ...own];
}

/** What a person reads as the type; `schema` is the name of a schema to link to. */
export interface TypeText {
  text: string;
  schema?: string;
  /** Bounds and default, to be read after the text. */
  limits?: string;
}

export function typeText(schema: SchemaOrRef): TypeText {
  if ('$ref' in schema && schema.$ref !== undefined) {
    return { text: refName(schema.$ref), schema: refName(schema.$ref) };
  }
  const { type, items, enum: values, format, anyOf, allOf, oneOf } = schema as Schema;
  const limits = limitsText(schema as Schema);
  const [single] = allOf ?? [];
  if (single !== undefined) return typeText(single);
  const alternatives = anyOf ?? oneOf;
  if (alternatives !== undefined) {
    const texts = alternatives.map(typeText);
    return {
      text: texts.map(({ text }) => text).join(' or '),
      schema: texts.find((one) => one.schema)?.schema,
      limits,
    };
  }
  if (values !== undefined) return { text: values.map((value) => JSON.stringify(value)).join(' | '), limits };
  if (items !== undefined) {
    const { text, schema: name } = typeText(items);
    return { text: `array of ${text}${nullText(type)}`, schema: name, limits };
  }
  const names = [type ?? 'any'].flat().join(' or ');
  return { text: format === undefined ? names : `${names} (${format})`, limits };
}

function limitsText(schema: Schema): string {
  const { minimum, maximum, maxLength, maxItems, default: fallback } = schema;
  const parts = [
    minimum !== undefined && maximum !== undefined ? `${minimum} to ${maximum}` : undefined,
    maxLength === undefined ? undefined : `at most ${maxLength} characters`,
    maxItems === undefined ? undefined : `at most ${maxItems}`,
    fallback === undefined ? undefined : `default ${JSON.stringify(fallback)}`,
  ].filter((part) => part !== undefined);
  return parts.map((part) => `, ${part}`).join('');
}

function nullText(type: Schema['type']): string {
  return Array.isArray(type) && type.includes('null') ? ' or null' : '';
}

/** An example that a request can be made of: required fields only, or the first if none is. */
export function exampleOf(schema: SchemaOrRef, components: Components): JsonValue {
  const resolved = resolveSchema(schema, components);
  const { example, default: fallback, enum: values, items, type } = resolved;
  for (const given of [example, values?.[0], fallback]) if (given !== undefined) return given as JsonValue;
  const fields = fieldsOf(schema, components);
  if (fields.length > 0) {
    const required = fields.filter((field) => field.isRequired);
    const shown = required.length > 0 ? required : fields.slice(0, 1);
    const members = shown.map((field) => [field.name, exampleOf(field.schema, components)] as const);
    return Object.fromEntries(members) as JsonObject;
  }
  if (items !== undefined) return [exampleOf(items, components)];
  return type === 'integer' ? 1 : 'text';
}
