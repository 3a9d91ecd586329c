/** The pages for people and the OpenAPI document, as routes. */
import { createRoute, z } from '@hono/zod-openapi';

const page = (description: string) => ({ description, content: { 'text/html': { schema: z.string() } } });

const TAGS = ['Pages'];

export const START_ROUTE = createRoute({
  method: 'get',
  path: '/',
  operationId: 'startPage',
  tags: TAGS,
  summary: 'Start page',
  description: 'What runs here, its authorities and where to go on. Needs no token.',
  security: [],
  responses: { 200: page('The page.') },
});

export const DOCS_ROUTE = createRoute({
  method: 'get',
  path: '/docs',
  operationId: 'documentation',
  tags: TAGS,
  summary: 'Documentation',
  description: 'This document as a page. Needs no token.',
  security: [],
  responses: { 200: page('The page.') },
});

export const OPENAPI_ROUTE = createRoute({
  method: 'get',
  path: '/openapi.yaml',
  operationId: 'openApiDocument',
  tags: TAGS,
  summary: 'OpenAPI document',
  description: 'OpenAPI 3.1. Needs no token.',
  security: [],
  responses: {
    200: { description: 'The document.', content: { 'application/yaml': { schema: z.string() } } },
  },
});

export const PAGE_ROUTES = [START_ROUTE, DOCS_ROUTE, OPENAPI_ROUTE] as const;
