/** Whether anybody will recognise the marks of a type: a Trust Anchor has to list it. @see OIDFED §7.2 */
import type { ApiClient } from '../api-client.ts';
import { type AuthorityRecord, authoritySchema } from '../api-records.ts';
import type { ServiceSession } from '../session.ts';

/** Tells a person what to do while no Trust Anchor here lists the type with this issuer. */
export async function noteUnrecognised(
  { client, output }: Pick<ServiceSession, 'client' | 'output'>,
  { trustMarkType, authorityId }: { trustMarkType: string; authorityId: string },
): Promise<void> {
  if (output.isJson) return;
  const authorities = await everyAuthority(client);
  const issuer = authorities.find(({ id }) => id === authorityId)?.entityIdentifier;
  const anchors = authorities.filter(({ kind }) => kind === 'trust_anchor');
  if (issuer === undefined || anchors.some((anchor) => recognises(anchor, trustMarkType, issuer))) return;
  const anchor = anchors[0]?.entityIdentifier ?? 'ANCHOR';
  const issuers = JSON.stringify({ ...anchors[0]?.trustMarkIssuers, [trustMarkType]: [issuer] });
  output.note(
    `No Trust Anchor here lists this type as issued by ${issuer}: whoever goes by one recognises no mark of it.\n` +
      `Next: write ${issuers} into issuers.json, then\n` +
      `\`holdfast authority update ${anchor} --trust-mark-issuers issuers.json\``,
  );
}

/** An empty list lets anybody issue. */
function recognises({ trustMarkIssuers }: AuthorityRecord, trustMarkType: string, issuer: string): boolean {
  if (!Object.hasOwn(trustMarkIssuers, trustMarkType)) return false;
  const issuers = trustMarkIssuers[trustMarkType] ?? [];
  return issuers.length === 0 || issuers.includes(issuer);
}

async function everyAuthority(client: ApiClient): Promise<AuthorityRecord[]> {
  return (await client.list('authorities', {}, authoritySchema, { limit: Number.POSITIVE_INFINITY })).items;
}
