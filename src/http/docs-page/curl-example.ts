/** A curl command for each operation, ready to be tried. */
import { BEARER_SCHEME } from '../api/exchange.ts';
import type { OpenApiDocument } from '../openapi/document.ts';
import { CERTIFICATE_CODE_SCHEME, CLIENT_CERTIFICATE_SCHEME, ENFORCEMENT_POINT_SCHEME } from '../security-schemes.ts';
import type { DescribedOperation } from './docs-page.ts';
import { exampleOf, type SchemaOrRef } from './schema-view.ts';

type Components = NonNullable<OpenApiDocument['components']>;

const SERVICE = '$HOLDFAST_URL';

/** How each security scheme is met. */
const PROOFS: Readonly<Record<string, string>> = {
  [BEARER_SCHEME]: '-H "Authorization: Bearer $HOLDFAST_TOKEN"',
  [ENFORCEMENT_POINT_SCHEME]: '-H "Holdfast-Enforcement-Point: $HOLDFAST_POINT_TOKEN"',
  [CLIENT_CERTIFICATE_SCHEME]: '--cert client.pem --key client.key',
  [CERTIFICATE_CODE_SCHEME]: '--user "anybody:$HOLDFAST_CODE"',
};

interface ExampleParameter {
  name: string;
  in: string;
  required?: boolean;
  schema?: SchemaOrRef;
}

/** Only what is required is sent; `$HOLDFAST_URL` and `$HOLDFAST_TOKEN` stand for the reader's own. */
export function curlExample({ method, path, operation }: DescribedOperation, components: Components): string {
  const parameters = (operation.parameters ?? []).filter((parameter) => 'name' in parameter) as ExampleParameter[];
  const required = parameters.filter((parameter) => parameter.required === true);
  const exampleValue = ({ schema = {} }: ExampleParameter) =>
    [exampleOf(schema, components)].flat().map(String)[0] ?? '';
  const filled = required
    .filter((parameter) => parameter.in === 'path')
    .reduce((text, parameter) => text.replace(`{${parameter.name}}`, exampleValue(parameter)), path);
  const query = required
    .filter((parameter) => parameter.in === 'query')
    .map((parameter) => `${parameter.name}=${encodeURIComponent(exampleValue(parameter))}`);
  const base = operation.servers?.[0]?.variables?.['entityIdentifier']?.default ?? SERVICE;
  const url = `${base}${filled}${query.length > 0 ? `?${query.join('&')}` : ''}`;
  const lines = [`curl ${method === 'get' ? '' : `-X ${method.toUpperCase()} `}"${url}"`];
  const [scheme] = Object.keys(operation.security?.[0] ?? {});
  const proof = scheme === undefined ? undefined : PROOFS[scheme];
  if (proof !== undefined) lines.push(proof);
  for (const parameter of required.filter(({ in: place }) => place === 'header')) {
    lines.push(`-H ${quoted(`${parameter.name}: ${exampleValue(parameter)}`)}`);
  }
  const body = bodySchema(operation);
  if (body !== undefined) {
    lines.push("-H 'Content-Type: application/json'");
    lines.push(`-d ${quoted(JSON.stringify(exampleOf(body, components), null, 2))}`);
  }
  return lines.join(' \\\n  ');
}

function bodySchema({ requestBody }: DescribedOperation['operation']): SchemaOrRef | undefined {
  if (requestBody === undefined || '$ref' in requestBody) return undefined;
  return requestBody.content['application/json']?.schema;
}

/** One word of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
