/** The body of every transition. */
import { z } from '@hono/zod-openapi';
import { ReasonSchema } from './text-schema.ts';

export const TransitionReasonSchema = z.strictObject({ reason: ReasonSchema }).openapi('TransitionReason');
