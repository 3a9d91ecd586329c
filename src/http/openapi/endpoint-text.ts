/** What the OpenAPI document says about a federation endpoint, and what several of them share. */
import { z } from '@hono/zod-openapi';

export const IdentifierSchema = z.string().openapi({ format: 'uri', example: 'https://op.partner.example' });

export const FlagSchema = z.enum(['true', 'false']);

export const ERRORS = {
  400: 'A parameter is missing or wrong: `invalid_request`.',
  401: 'The client assertion does not hold: `invalid_client`.',
  404: 'Not known here: `not_found`.',
  429: 'Too many requests that cost work: `temporarily_unavailable`, with `Retry-After`.',
  500: 'A fault of ours: `server_error`.',
  503: 'The current state cannot be confirmed: `temporarily_unavailable`, with `Retry-After`.',
} as const;

export type ErrorTexts = Partial<Record<keyof typeof ERRORS, string>>;

export interface EndpointText {
  operationId: string;
  summary: string;
  description: string;
  query?: z.ZodObject;
  /** Parameters of an endpoint that is asked by POST alone. */
  form?: z.ZodObject;
  mediaType: string;
  answer: string;
  schema?: z.ZodType;
  errors?: ErrorTexts;
}

export const jwt = (description: string): z.ZodType => z.string().openapi({ description, example: 'eyJ0eXAi…' });

export const TypesSchema = z
  .array(z.string())
  .optional()
  .openapi({ description: 'Only entities of these types.', example: ['openid_provider'] });

/** Of the lists of subordinates. */
export const LIST_FILTERS = {
  entity_type: TypesSchema,
  intermediate: FlagSchema.optional().openapi({ description: '`true`: only Intermediates.' }),
  trust_marked: FlagSchema.optional().openapi({ description: '`true`: only entities with a Trust Mark issued here.' }),
};
