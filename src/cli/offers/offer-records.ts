/** Records of what entities offer as the API gives them: the members that the commands show or use. */
import { z } from 'zod';

const offer = {
  state: z.string(),
  deprecatedAt: z.string().nullable(),
  retiresAt: z.string().nullable(),
  supersededBy: z.string().nullable(),
  removedAt: z.string().nullable(),
  version: z.number(),
  createdAt: z.string(),
};

export const authorizationServerSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  entityId: z.string(),
  issuer: z.string(),
  entityState: z.string(),
  ...offer,
});

export const apiResourceSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  authorizationServerId: z.string(),
  family: z.string(),
  apiVersion: z.string(),
  endpoints: z.array(z.string()),
  requiredRoles: z.array(z.string()),
  audience: z.string().nullable(),
  certification: z.looseObject({
    status: z.string(),
    uri: z.string().nullable(),
    from: z.string().nullable(),
    to: z.string().nullable(),
  }),
  isCertified: z.boolean(),
  entityState: z.string(),
  ...offer,
});

export type AuthorizationServerRecord = z.infer<typeof authorizationServerSchema>;
export type ApiResourceRecord = z.infer<typeof apiResourceSchema>;
