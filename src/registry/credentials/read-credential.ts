/** Reads credentials with what their standing depends on, as far as the reader reaches. */
import { and, asc, eq, getTableColumns, gt, type SQL } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import {
  type CredentialKind,
  type CredentialPossession,
  type CredentialUsage,
  credentials,
} from '../../storage/schema/credentials.ts';
import { type EntityMode, entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';
import type { Credential, ListedCredential } from './credential.ts';
import {
  type CredentialState,
  expiresWithin,
  IS_ANCHOR_LISTED,
  IS_PURPOSE_LISTED,
  isInState,
  isLive,
  unless,
} from './credential-standing.ts';

const OWNER = {
  organisationId: entities.organisationId,
  entityIdentifier: entities.entityIdentifier,
  mode: entities.mode,
  ownerState: entities.state,
  organisationState: organisations.state,
  isPurposeListed: IS_PURPOSE_LISTED,
  isAnchorListed: IS_ANCHOR_LISTED,
};
const { x5c: _, ...LISTED } = getTableColumns(credentials);

/** @throws RegistryError not_found (also when it belongs to somebody out of reach), role_missing */
export async function readCredential(db: Db | Tx, actor: Actor, id: string): Promise<Credential> {
  requireRole(actor, ACCESS.readCredential.roles);
  if (!isRecordId(id)) throw notFound('credential', id);
  const [found] = await db
    .select({ credential: credentials, owner: OWNER })
    .from(credentials)
    .innerJoin(entities, eq(entities.id, credentials.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(eq(credentials.id, id));
  if (found === undefined) throw notFound('credential', id);
  const { credential, owner } = found;
  if (!reaches(actor, credential.authorityId, owner.organisationId, credential.entityId)) {
    throw notFound('credential', id);
  }
  return { ...credential, ...owner };
}

export interface CredentialFilter {
  authorityId?: string;
  organisationId?: string;
  entityId?: string;
  kind?: CredentialKind;
  usage?: CredentialUsage;
  possession?: CredentialPossession;
  mode?: EntityMode;
  environment?: string;
  kid?: string;
  /** Fingerprint of a certificate; SHA-256, base64url. */
  x5tS256?: string;
  /** Fingerprint of a key; SHA-256, base64url. */
  spkiSha256?: string;
  /** By the clock. */
  state?: CredentialState;
  /** Whether it counts: by itself, its entity and its organisation. */
  isLive?: boolean;
  /** Those that may count yet and expire within so many days. */
  expiresWithinDays?: number;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listCredentials(
  db: Db,
  actor: Actor,
  filter: CredentialFilter,
  request: PageRequest,
  now: Date,
): Promise<Page<ListedCredential>> {
  const columns = { authority: credentials.authorityId, organisation: entities.organisationId, entity: entities.id };
  const reached = inReach(actor, ACCESS.listCredentials.roles, columns, filter.authorityId);
  const after = cursorId(request);
  const rows = await db
    .select({ credential: LISTED, owner: OWNER })
    .from(credentials)
    .innerJoin(entities, eq(entities.id, credentials.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(and(reached, ...conditions(filter, now), after === undefined ? undefined : gt(credentials.id, after)))
    .orderBy(asc(credentials.id))
    .limit(request.limit + 1);
  const found = rows.map(({ credential, owner }) => ({ ...credential, ...owner }));
  return pageOf(found, request);
}

function conditions(filter: CredentialFilter, now: Date): (SQL | undefined)[] {
  const { organisationId, entityId, kind, usage, mode, environment, kid, x5tS256, spkiSha256 } = filter;
  const { possession, state, expiresWithinDays } = filter;
  const live = isLive(now);
  return [
    organisationId === undefined ? undefined : eq(entities.organisationId, organisationId),
    entityId === undefined ? undefined : eq(credentials.entityId, entityId),
    kind === undefined ? undefined : eq(credentials.kind, kind),
    usage === undefined ? undefined : eq(credentials.usage, usage),
    possession === undefined ? undefined : eq(credentials.possession, possession),
    mode === undefined ? undefined : eq(entities.mode, mode),
    environment === undefined ? undefined : eq(credentials.environment, environment),
    kid === undefined ? undefined : eq(credentials.kid, kid),
    x5tS256 === undefined ? undefined : eq(credentials.x5tS256, x5tS256),
    spkiSha256 === undefined ? undefined : eq(credentials.spkiSha256, spkiSha256),
    state === undefined ? undefined : isInState(state, now),
    filter.isLive === undefined || live === undefined ? undefined : filter.isLive ? live : unless(live),
    expiresWithinDays === undefined ? undefined : expiresWithin(expiresWithinDays, now),
  ];
}
