/** Entries of trust lists as the API gives them. */
import { z } from 'zod';

export const trustListEntrySchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  purpose: z.string(),
  name: z.string(),
  certificate: z.string(),
  x5tS256: z.string(),
  subject: z.string(),
  notBefore: z.string(),
  notAfter: z.string(),
  version: z.number(),
});

export type TrustListEntryRecord = z.infer<typeof trustListEntrySchema>;

export const coverageSchema = z.looseObject({
  authorityId: z.string(),
  purpose: z.string(),
  isListed: z.boolean(),
  live: z.number(),
  withoutPath: z.number(),
});

export type CoverageRecord = z.infer<typeof coverageSchema>;

export const coverageAnswerSchema = z.looseObject({ coverage: z.array(coverageSchema) });
