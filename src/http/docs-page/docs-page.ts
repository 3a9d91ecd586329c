/** The documentation page, made from the OpenAPI document: readable without scripts, by keyboard, on any screen. */
import { html } from 'hono/html';
import type { OpenApiDocument } from '../openapi/document.ts';
import { FEDERATION_TAG } from '../openapi/federation-paths.ts';
import type { Html } from '../pages/page-shell.ts';
import { allProblems } from '../problem.ts';
import { curlExample } from './curl-example.ts';
import { fieldsOf, resolveSchema, type SchemaOrRef, typeText } from './schema-view.ts';

type Components = NonNullable<OpenApiDocument['components']>;
type PathItem = NonNullable<OpenApiDocument['paths']>[string];
export type OperationObject = NonNullable<PathItem['get']>;

type ResponseOrRef = NonNullable<Components['responses']>[string];
type ContentObject = Record<string, { schema?: SchemaOrRef }>;

export interface DescribedOperation {
  method: string;
  path: string;
  operation: OperationObject;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

export function renderDocsPage(spec: OpenApiDocument): Html {
  const components = spec.components ?? {};
  const sections = (spec.tags ?? []).map((tag) => ({ tag, operations: operationsOf(spec, tag.name) }));
  const schemas = Object.entries(components.schemas ?? {}).sort(([a], [b]) => a.localeCompare(b));
  return html`<a class="skip" href="#content">Skip to the content</a>
<div class="page with-contents">
<nav aria-label="Contents">
${sections.map(({ tag, operations }) => renderContents(tag.name, operations))}
<h2>Reference</h2><ul><li><a href="#problems">Problems</a></li><li><a href="#schemas">Schemas</a></li></ul>
</nav>
<main id="content">
<h1>${spec.info.title}: documentation</h1>
${prose(spec.info.description ?? '')}
<p>The same for programs: <a href="/openapi.yaml">openapi.yaml</a> (OpenAPI 3.1).</p>
${sections.map(
  ({ tag, operations }) => html`<h2 id="${anchor('tag', tag.name)}">${tag.name}</h2>
${prose(tag.description ?? '')}
${operations.map((described) => renderOperation(described, components))}`,
)}
${renderProblems()}
<h2 id="schemas">Schemas</h2>
${schemas.map(([name, schema]) => renderSchema(name, schema, components))}
</main>
</div>`;
}

function operationsOf(spec: OpenApiDocument, tag: string): DescribedOperation[] {
  return Object.entries(spec.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation?.tags?.includes(tag) === true ? [{ method, path, operation }] : [];
    }),
  );
}

function anchor(kind: string, name: string): string {
  return `${kind}-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
}

function renderContents(tag: string, operations: readonly DescribedOperation[]): Html {
  return html`<h2><a href="#${anchor('tag', tag)}">${tag}</a></h2>
<ul>${operations.map(
    ({ operation }) => html`<li><a href="#${operation.operationId}">${operation.summary}</a></li>`,
  )}</ul>
`;
}

function renderOperation(described: DescribedOperation, components: Components): Html {
  const { method, path, operation } = described;
  const isFederation = operation.tags?.includes(FEDERATION_TAG) === true;
  return html`<section aria-labelledby="${operation.operationId}">
<h3 id="${operation.operationId}">${operation.summary}</h3>
<p class="route"><span class="method ${method}">${method.toUpperCase()}</span> <code>${isFederation ? `{Entity Identifier}${path}` : path}</code></p>
${prose(operation.description ?? '')}
${renderParameters(operation)}
${renderBody(operation, components)}
${renderResponses(operation)}
<h4>Example</h4>
<pre tabindex="0"><code>${curlExample(described, components)}</code></pre>
</section>
`;
}

function renderParameters(operation: OperationObject): Html | string {
  const rows = (operation.parameters ?? []).flatMap((parameter) =>
    'name' in parameter
      ? [
          html`<tr><td><code>${parameter.name}</code></td><td>${parameter.in}, ${presence(parameter.required)}</td>
<td>${renderType(parameter.schema ?? {})}</td><td>${prose(parameter.description ?? '')}</td></tr>`,
        ]
      : [],
  );
  if (rows.length === 0) return '';
  const head = ['Name', 'In', 'Type', 'Meaning'];
  return html`<details><summary>Parameters</summary>${table(`Parameters of ${operation.summary}`, head, rows)}</details>`;
}

function presence(isRequired: boolean | undefined): string {
  return isRequired === true ? 'required' : 'optional';
}

function renderBody(operation: OperationObject, components: Components): Html | string {
  const { requestBody } = operation;
  if (requestBody === undefined || '$ref' in requestBody) return '';
  const schema = requestBody.content['application/json']?.schema;
  if (schema === undefined) return '';
  return html`<details><summary>Body: ${typeText(schema).text}</summary>${renderFields(schema, components)}</details>`;
}

function renderFields(schema: SchemaOrRef, components: Components): Html | Html[] {
  const fields = fieldsOf(schema, components);
  if (fields.length === 0) return prose(resolveSchema(schema, components).description ?? '');
  const rows = fields.map(
    (field) => html`<tr><td><code>${field.name}</code></td><td>${presence(field.isRequired)}</td>
<td>${renderType(field.schema)}</td><td>${prose(resolveSchema(field.schema, components).description ?? '')}</td></tr>`,
  );
  return table(`Fields of ${typeText(schema).text}`, ['Field', 'Presence', 'Type', 'Meaning'], rows);
}

function renderType(schema: SchemaOrRef): Html {
  const { text, schema: name, limits = '' } = typeText(schema);
  if (name === undefined) return html`${text}${limits}`;
  return html`<a href="#${anchor('schema', name)}">${text}</a>${limits}`;
}

/** Problems are the same everywhere; only which of them may come is said here. */
function renderResponses(operation: OperationObject): Html {
  const responses: [string, ResponseOrRef][] = Object.entries(operation.responses ?? {});
  const shared = responses.filter(([, response]) => '$ref' in response).map(([status]) => status);
  const rows = responses.flatMap(([status, response]) =>
    '$ref' in response ? [] : [renderResponse(status, response)],
  );
  const problems = html`<tr><td>else</td><td><a href="#problems">Problems</a>: ${shared.join(', ')}</td><td></td></tr>`;
  const all = shared.length === 0 ? rows : [...rows, problems];
  const head = ['Status', 'Meaning', 'Content'];
  return html`<details><summary>Answers</summary>${table(`Answers of ${operation.summary}`, head, all)}</details>`;
}

function renderResponse(status: string, response: ResponseOrRef): Html {
  const { description = '', content = {} } = response as { description?: string; content?: ContentObject };
  const answers = Object.entries(content).map(
    ([mediaType, { schema }]) => html`<code>${mediaType}</code> ${schema === undefined ? '' : renderType(schema)} `,
  );
  return html`<tr><td>${status}</td><td>${prose(description)}</td><td>${answers}</td></tr>`;
}

function renderProblems(): Html {
  const rows = allProblems().map(
    ({ code, status, title }) =>
      html`<tr id="problem-${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td></tr>`,
  );
  return html`<h2 id="problems">Problems</h2>
<p>Errors of the API are <code>application/problem+json</code> with one of these codes; <code>type</code> points here.</p>
${table('Problems', ['Code', 'Status', 'Title'], rows)}`;
}

function renderSchema(name: string, schema: SchemaOrRef, components: Components): Html {
  const { description, enum: values } = resolveSchema(schema, components);
  return html`<section aria-labelledby="${anchor('schema', name)}">
<h3 id="${anchor('schema', name)}">${name}</h3>
${prose(description ?? '')}
${values === undefined ? renderFields(schema, components) : html`<p>${renderType(schema)}</p>`}
</section>
`;
}

/** A table that scrolls on its own when the screen is narrow. */
function table(label: string, head: readonly string[], rows: readonly Html[]): Html {
  const cells = head.map((cell) => html`<th scope="col">${cell}</th>`);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table><thead><tr>${cells}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

/** Paragraphs with `code` and **strong**; all that our descriptions use of CommonMark. */
function prose(text: string): Html[] {
  return text
    .split('\n\n')
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => html`<p>${paragraph.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map(renderSpan)}</p>`);
}

function renderSpan(span: string): Html | string {
  if (span.startsWith('`')) return html`<code>${span.slice(1, -1)}</code>`;
  if (span.startsWith('**')) return html`<strong>${span.slice(2, -2)}</strong>`;
  return span;
}
