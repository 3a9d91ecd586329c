/** The Entity Configuration of a hosted entity: made and signed here with its key, or signed and uploaded by itself. */
import type { JsonObject } from '../federation/json.ts';
import { lintHostedConfiguration } from '../federation/lint/lint-hosted-configuration.ts';
import { decodeJwt } from '../federation/signature.ts';
import { isListed } from '../registry/hosting/hosted-entity.ts';
import type { HostedRecord } from '../registry/hosting/read-hosted-configuration.ts';
import type { IssuedStatement } from './issued-statement.ts';
import { inCustody, type StatementDraft, type StatementSigner } from './statement-issuer.ts';

/** What its claims are made from. */
export interface HostedClaims extends Pick<HostedRecord, 'registered' | 'superior'> {
  entity: Pick<HostedRecord['entity'], 'entityIdentifier' | 'state'>;
  hosted: Pick<HostedRecord['hosted'], 'metadata'>;
  keys: readonly Pick<HostedRecord['keys'][number], 'kid' | 'state' | 'publicJwk'>[];
}

/**
 * Its claims, times aside. Once it is approved, they list no key that its superior does not: whoever believed one would
 * be alone with it.
 */
export function buildHostedConfiguration({ entity, hosted, keys, registered, superior }: HostedClaims): JsonObject {
  const isVouchedFor = (kid: string) => entity.state === 'pending' || registered.some((key) => key.kid === kid);
  return {
    iss: entity.entityIdentifier,
    sub: entity.entityIdentifier,
    jwks: { keys: keys.filter((key) => isListed(key) && isVouchedFor(key.kid)).map(({ publicJwk }) => publicJwk) },
    authority_hints: [superior],
    metadata: hosted.metadata,
  };
}

/** What there is to sign and with which key; undefined when no key is there that its superior lists. */
export function hostedDraft(record: HostedRecord): (StatementSigner & { draft: StatementDraft }) | undefined {
  const { entity, hosted, keys, registered, stored } = record;
  const key = keys.find(({ state }) => state === 'active');
  if (key === undefined || !registered.some(({ kid }) => kid === key.kid)) return undefined;
  return {
    authorityId: entity.authorityId,
    key: inCustody(key, entity.entityIdentifier),
    draft: {
      kind: 'hosted-configuration',
      subject: entity.entityIdentifier,
      claims: buildHostedConfiguration(record),
      lifetimeSeconds: hosted.configurationLifetimeSeconds,
      notAfter: Number.POSITIVE_INFINITY,
      basisVersion: entity.version,
      stored,
      lint: lintHostedConfiguration,
    },
  };
}

/** What the entity uploaded, for as long as it counts: its key is listed, and neither has expired. */
export function uploadedConfiguration({ hosted, registered }: HostedRecord, now: number): IssuedStatement | undefined {
  const { uploadedConfiguration: jwt } = hosted;
  if (jwt === null) return undefined;
  const { header, claims } = decodeJwt(jwt);
  const exp = Number(claims['exp']);
  const key = registered.find(({ kid }) => kid === header['kid']);
  const expiresAt = Math.min(exp, key?.exp ?? Number.POSITIVE_INFINITY);
  if (key === undefined || !(expiresAt > now)) return undefined;
  return { jwt, expiresAt, refreshAt: expiresAt };
}
