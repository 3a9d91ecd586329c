/** Token issuers as the API gives them, how one is found, and how they are shown. */
import { z } from 'zod';
import { isRecordId } from '../../registry/record-id.ts';
import type { ApiClient } from '../api-client.ts';
import { only } from '../find-record.ts';
import type { Report } from '../report.ts';

export const tokenIssuerSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  issuer: z.string(),
  audiences: z.array(z.string()),
  jwks: z.looseObject({ keys: z.array(z.looseObject({ kid: z.string() })) }).nullable(),
  jwksUri: z.string().nullable(),
  introspection: z.looseObject({ endpoint: z.string(), clientId: z.string(), isSigned: z.boolean() }).nullable(),
  acceptsUntypedTokens: z.boolean(),
  version: z.number(),
});

export type TokenIssuerRecord = z.infer<typeof tokenIssuerSchema>;

export const ISSUER_ARGUMENT = 'id, or issuer';

/** @throws CommandError refused, usage */
export async function findTokenIssuer(client: ApiClient, given: string): Promise<TokenIssuerRecord> {
  const path = 'token-issuers';
  if (isRecordId(given)) return await client.send({ method: 'GET', path: `${path}/${given}` }, tokenIssuerSchema);
  const { items } = await client.list(path, { issuer: given }, tokenIssuerSchema, { limit: Number.POSITIVE_INFINITY });
  const named = items.map((record) => ({ record, id: record.id, name: `${given} of ${record.authorityId}` }));
  return only(named, 'token-issuer', given).record;
}

export const ISSUER_COLUMNS = ['ID', 'ISSUER', 'AUDIENCES', 'VERIFIED BY'];

export function issuerRow({ id, issuer, audiences, ...ways }: TokenIssuerRecord): string[] {
  return [id, issuer, audiences.join(' '), verifiedBy(ways)];
}

function verifiedBy({ jwks, jwksUri, introspection }: Pick<TokenIssuerRecord, 'jwks' | 'jwksUri' | 'introspection'>) {
  const hasKeys = jwks !== null || jwksUri !== null;
  return [...(hasKeys ? ['its keys'] : []), ...(introspection === null ? [] : ['introspection'])].join(', ');
}

export function describeIssuer(report: Report, record: TokenIssuerRecord): void {
  const { jwks, jwksUri, introspection } = record;
  report.heading(record.issuer);
  report.facts([
    ['id', record.id],
    ['authority', record.authorityId],
    ...record.audiences.map((audience) => ['audience', audience] as const),
    ['keys', jwks === null ? undefined : jwks.keys.map(({ kid }) => kid).join(' ')],
    ['keys at', jwksUri ?? undefined],
    ['introspection', introspection?.endpoint],
    ['known there as', introspection?.clientId],
    ['its answers', introspection === null ? undefined : introspection.isSigned ? 'signed' : 'JSON'],
    ['typ at+jwt', record.acceptsUntypedTokens ? 'not needed' : 'needed'],
    ['version', String(record.version)],
  ]);
}
