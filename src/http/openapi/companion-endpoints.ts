/** Endpoints of the companion drafts, for the OpenAPI document. @see EXTLIST, EVENTS, COLLECTION */
import { z } from '@hono/zod-openapi';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import type { FederationEndpoint } from '../../issuance/authority-endpoints.ts';
import { type EndpointText, FlagSchema, IdentifierSchema, jwt, LIST_FILTERS, TypesSchema } from './endpoint-text.ts';

const LimitSchema = z.int().positive().optional();
const PageSchema = z.string().optional().openapi({ description: '`next` of the page before.' });

export const COMPANION_ENDPOINTS = {
  extendedList: {
    operationId: 'federationExtendedList',
    summary: 'List subordinates with what is said about them',
    description:
      'Immediate Subordinates page by page, with their Subordinate Statements, claims of these and times (Extended Subordinate Listing, draft 03). Several `trust_mark_type` name entities with any of these marks.',
    query: z.object({
      ...LIST_FILTERS,
      trust_mark_type: z
        .array(z.string())
        .optional()
        .openapi({ description: 'Only entities with any of these Trust Marks issued here.' }),
      from: PageSchema,
      limit: LimitSchema.openapi({ description: 'Entities on the page, at most 100.', example: 100 }),
      updated_after: z.number().optional().openapi({ description: 'Changed at or after, seconds since the epoch.' }),
      updated_before: z.number().optional().openapi({ description: 'Changed at or before, seconds since the epoch.' }),
      audit_timestamps: FlagSchema.optional().openapi({ description: '`true`: with `registered` and `updated`.' }),
      claims: z
        .array(z.string())
        .optional()
        .openapi({ description: 'Claims of the statement to show, or all of it.', example: ['subordinate_statement'] }),
    }),
    mediaType: MEDIA_TYPE.json,
    answer: 'A page, not signed; the statements in it are those of the fetch endpoint.',
    schema: z.object({
      immediate_subordinate_entities: z.array(
        z.looseObject({
          id: IdentifierSchema,
          subordinate_statement: jwt('The Subordinate Statement.').optional(),
          registered: z.number().optional(),
          updated: z.number().optional(),
        }),
      ),
      next: z.string().optional().openapi({ description: 'Of the next page; missing on the last one.' }),
    }),
    errors: { 404: 'No such page of this list: `page_not_found`.' },
  },
  subordinateEvents: {
    operationId: 'federationSubordinateEvents',
    summary: 'What became of a subordinate',
    description:
      'Registration, suspensions and updates of an entity that is or once was a subordinate, with the reasons that registrars gave for the public (Subordinate Events, draft 01): every suspension and the like, and of updates the newest 500. Our own events are `reinstatement` and `withdrawal`.',
    query: z.object({ sub: IdentifierSchema.openapi({ description: 'Entity Identifier of the subordinate.' }) }),
    mediaType: MEDIA_TYPE.entityEvents,
    answer: 'The history.',
    schema: jwt('A signed JWT of type `entity-events-statement+jwt` with `federation_registration_events`.'),
    errors: { 404: 'No entity with this identifier was ever registered: `not_found`.' },
  },
  collection: {
    operationId: 'federationCollection',
    summary: 'Collect the entities below',
    description:
      'Entities below this authority, direct and through Intermediates of this service, for people to choose from (Entity Collection, draft 01).',
    query: z.object({
      entity_type: TypesSchema,
      trust_mark_type: z
        .array(z.string())
        .optional()
        .openapi({ description: 'Entities that show valid marks of all of these types.' }),
      trust_anchor: IdentifierSchema.optional().openapi({ description: 'This authority itself, if anything.' }),
      query: z.string().optional().openapi({ description: 'Text in an identifier or a name.' }),
      from: PageSchema,
      limit: LimitSchema.openapi({ description: 'Entities on the page, at most 100.', example: 100 }),
      entity_claims: z
        .array(z.string())
        .optional()
        .openapi({ description: '`entity_types`, `ui_infos`, `trust_marks`.', example: ['entity_types'] }),
      ui_claims: z
        .array(z.string())
        .optional()
        .openapi({ description: 'Of `ui_infos`.', example: ['display_name'] }),
    }),
    mediaType: MEDIA_TYPE.json,
    answer: 'A page, not signed: to be shown, not to be believed.',
    schema: z.object({
      entities: z.array(
        z.looseObject({
          entity_id: IdentifierSchema,
          entity_types: z.array(z.string()).optional(),
          ui_infos: z.record(z.string(), z.looseObject({})).optional(),
          trust_marks: z.array(z.looseObject({})).optional(),
        }),
      ),
      next: z.string().optional(),
      last_updated: z.number().optional(),
    }),
    errors: {
      400: 'A parameter is wrong: `invalid_request`; a claim is not offered: `unsupported_claim`.',
      404: 'Not the Trust Anchor of this endpoint: `invalid_trust_anchor`; no such page: `page_not_found`.',
    },
  },
} satisfies Partial<Record<FederationEndpoint, EndpointText>>;
