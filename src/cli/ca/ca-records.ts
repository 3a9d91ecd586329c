/** Certification authorities as the API gives them. */
import { z } from 'zod';

export const certificationAuthoritySchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  name: z.string(),
  state: z.string(),
  kid: z.string(),
  alg: z.string(),
  custody: z.string(),
  request: z.string(),
  certificate: z.string().nullable(),
  subject: z.string().nullable(),
  x5tS256: z.string().nullable(),
  notBefore: z.string().nullable(),
  notAfter: z.string().nullable(),
  urls: z.object({ certificate: z.string(), chain: z.string(), revocationList: z.string(), ocsp: z.string() }),
  validityDays: z.record(z.string(), z.number()),
  overlapDays: z.number(),
  revocationListLifetimeSeconds: z.number(),
  listedFor: z.array(z.string()),
  retiredAt: z.string().nullable(),
  version: z.number(),
});

export type CertificationAuthorityRecord = z.infer<typeof certificationAuthoritySchema>;
