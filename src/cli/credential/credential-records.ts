/** Credentials as the API gives them: the members that the commands show or use. */
import { z } from 'zod';

export const credentialSchema = z.looseObject({
  id: z.string(),
  entityId: z.string(),
  entityIdentifier: z.string(),
  kind: z.string(),
  usage: z.string(),
  source: z.string(),
  possession: z.string(),
  mode: z.string(),
  environment: z.string(),
  state: z.string(),
  entityState: z.string(),
  isLive: z.boolean(),
  refusal: z.string().nullable(),
  kid: z.string(),
  spkiSha256: z.string(),
  x5tS256: z.string().nullable(),
  subject: z.string().nullable(),
  issuer: z.string().nullable(),
  serial: z.string().nullable(),
  notBefore: z.string().nullable(),
  notAfter: z.string().nullable(),
  path: z.looseObject({ anchor: z.string(), notAfter: z.string() }).nullish(),
  stateReason: z.string().nullable(),
  revocationReason: z.string().nullable(),
  supersedes: z.string().nullable(),
  supersededAt: z.string().nullable(),
  x5c: z.array(z.string()).nullish(),
  version: z.number(),
  createdAt: z.string(),
});

export type CredentialRecord = z.infer<typeof credentialSchema>;
