/** The bodies of transitions. */
import { z } from '@hono/zod-openapi';
import { PublicReasonSchema, ReasonSchema } from './text-schema.ts';

export const TransitionReasonSchema = z.strictObject({ reason: ReasonSchema }).openapi('TransitionReason');

/** Of transitions that follow an approval, of an entity or its organisation. */
export const PublicTransitionReasonSchema = z
  .strictObject({ reason: PublicReasonSchema })
  .openapi('PublicTransitionReason');
