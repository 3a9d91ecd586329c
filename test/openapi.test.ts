/** openapi.yaml is generated, complete and consistent. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FORWARD_AUTH_PATH } from '../src/http/admission/forward-auth-door.ts';
import { OCSP_ROUTES } from '../src/http/certification/ocsp-routes.ts';
import { type AppDependencies, createServiceApp } from '../src/http/create-app.ts';
import { openApiYaml } from '../src/http/openapi/document.ts';
import { PARTICIPANTS_PATH } from '../src/http/participants/participants-door.ts';
import { ENDPOINT_PATHS, SUBORDINATE_ENDPOINT_PATHS } from '../src/issuance/authority-endpoints.ts';

const text = await readFile(join(import.meta.dirname, '../openapi.yaml'), 'utf8');
const document = parse(text);

interface DescribedOperation {
  id: string;
  method: string;
  path: string;
  operation: {
    operationId: string;
    summary: string;
    description: string;
    security: unknown[];
    parameters?: { name: string; in: string }[];
    responses: Record<string, unknown>;
  };
}

const operations: DescribedOperation[] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item as Record<string, DescribedOperation['operation']>).map(([method, operation]) => ({
    id: `${method.toUpperCase()} ${path}`,
    method,
    path,
    operation,
  })),
);

describe('openapi.yaml', () => {
  it('is what `npm run openapi` writes', () => {
    expect(text === openApiYaml(), 'run: npm run openapi').toBe(true);
  });

  it('describes every route of the app, and no other but those of the authorities', () => {
    const dependencies = { api: {}, publicAuthorities: () => [], logError: () => {} } as unknown as AppDependencies;
    const routes = createServiceApp(dependencies)
      .routes.filter(({ method, path }) => method !== 'ALL' && !path.endsWith('*'))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    const federation = Object.entries(ENDPOINT_PATHS).flatMap(([endpoint, path]) => {
      if (endpoint === 'configuration') return [`GET ${path}`];
      return endpoint === 'trustMarkStatus' ? [`POST ${path}`] : [`GET ${path}`, `POST ${path}`];
    });
    const subordinates = Object.values(SUBORDINATE_ENDPOINT_PATHS).map((path) => `POST ${path}`);
    // Of doors before the framework.
    const ocsp = OCSP_ROUTES.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    const others = [...federation, ...subordinates, ...ocsp, `GET ${PARTICIPANTS_PATH}`, `GET ${FORWARD_AUTH_PATH}`];
    expect(operations.map(({ id }) => id).sort()).toEqual([...new Set(routes), ...others].sort());
  });

  it('is OpenAPI 3.1 with no reference that leads nowhere', () => {
    expect(document.openapi).toBe('3.1.0');
    const references = [...text.matchAll(/\$ref: "?#\/([^"\s]+)"?/g)].map(([, place]) => place ?? '');
    expect(references.length).toBeGreaterThan(100);
    for (const place of new Set(references)) {
      const target = place.split('/').reduce((part, name) => part?.[name], document);
      expect(target, place).toBeDefined();
    }
  });

  it('names each operation once and describes it', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z]+(?:[A-Z][a-z0-9]*)*$/.test(id))).toEqual([]);
    const schemes = Object.keys(document.components.securitySchemes);
    const asked = operations.flatMap(({ operation }) =>
      operation.security.flatMap((one) => Object.keys(one as object)),
    );
    expect(new Set(asked)).toEqual(new Set(schemes));
    const tags = document.tags.map(({ name }: { name: string }) => name);
    for (const { id, operation } of operations) {
      expect(operation, id).toMatchObject({
        summary: expect.stringMatching(/\S/),
        description: expect.stringMatching(/\S/),
      });
      expect(tags, id).toEqual(expect.arrayContaining((operation as { tags?: string[] }).tags ?? ['none']));
    }
  });

  it('declares each path parameter', () => {
    for (const { id, path, operation } of operations) {
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(
        declared.map(({ name }) => name),
        id,
      ).toEqual(names);
    }
  });
});

/** Where tokens are got, by a client assertion, and where enforcement points ask, with proofs of their own. */
const OTHERWISE_PROVEN = [
  ...['/api/v1/oauth/token', '/api/v1/admission', FORWARD_AUTH_PATH],
  ...['/api/v1/enforcement-points/self/seq', '/api/v1/enforcement-points/self/acknowledgements'],
];

/** For everybody. */
const PUBLIC = [
  ...['/api/v1/status', '/api/v1/status/{participantId}'],
  ...['/api/v1/directory/organisations', '/api/v1/directory/organisations/{organisationId}'],
];

describe('an operation of the API', () => {
  it.each(
    operations.filter(({ path }) => path.startsWith('/api/') && ![...OTHERWISE_PROVEN, ...PUBLIC].includes(path)),
  )('$id needs a token and says which role', (described) => {
    const { operation } = described;
    expect(operation.security).toEqual([{ bearer: [] }]);
    expect(operation.description).toMatch(/Needs (?:any role|the role `\w+`)/);
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '500', '503']));
  });
});

describe('requests and answers', () => {
  it('takes no field that it does not name', () => {
    for (const { id, operation } of operations) {
      const body = (operation as { requestBody?: { content: Record<string, { schema: { $ref?: string } }> } })
        .requestBody;
      const reference = body?.content['application/json']?.schema.$ref;
      if (reference === undefined) continue;
      const schema = document.components.schemas[reference.split('/').at(-1) ?? ''];
      for (const form of schema.oneOf ?? [schema]) expect(form.additionalProperties, id).toBe(false);
    }
  });
});
