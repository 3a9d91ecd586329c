/** API resources as records. */
import { isDeepStrictEqual } from 'node:util';
import type { IdentifierOptions } from '../../federation/identifiers.ts';
import { isEndpointUrl } from '../../federation/identifiers.ts';
import type { JsonObject } from '../../federation/json.ts';
import type { Tx } from '../../storage/connect.ts';
import type { apiResources, CertificationStatus } from '../../storage/schema/api-resources.ts';
import type { ParticipantState } from '../../storage/schema/organisations.ts';
import { type Actor, isMember } from '../actor.ts';
import { type OfferDates, requireOrderedDates } from '../offers/offer-state.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { holdRoles } from '../roles/role.ts';

export type ApiResourceRow = typeof apiResources.$inferSelect;

export interface ApiResource extends ApiResourceRow {
  /** Whose entity runs its authorization server. */
  organisationId: string;
  entityId: string;
  /** Dates of the authorization server that protects it: it lives no longer than that. */
  serverDates: OfferDates;
  /** The stricter of that entity's and its organisation's. */
  entityState: ParticipantState;
}

export const CERTIFICATION_STATUSES = [
  'awaiting',
  'certified',
  'self_certified',
  'deprecated',
  'rejected',
] as const satisfies readonly CertificationStatus[];

export const MAX_ENDPOINTS = 100;

/** What somebody found who tested the API, where that can be read, and how long it holds. */
export interface Certification {
  status: CertificationStatus;
  uri: string | null;
  from: Date | null;
  to: Date | null;
}

export const NOT_CERTIFIED: Certification = { status: 'awaiting', uri: null, from: null, to: null };

export interface ApiResourceFields {
  endpoints: string[];
  /** Roles of its authority, by id: whoever holds one of them may come in; none: everybody. */
  requiredRoles: string[];
  /** What access tokens must be meant for; it has to be listed of their issuer as well. null: any that is. */
  audience: string | null;
  certification: Certification;
  deprecatedAt: Date | null;
  retiresAt: Date | null;
  supersededBy: string | null;
}

type CertificationColumns = Pick<
  ApiResourceRow,
  'certificationStatus' | 'certificationUri' | 'certificationFrom' | 'certificationTo'
>;

export function certificationColumns({ status, uri, from, to }: Certification): CertificationColumns {
  return { certificationStatus: status, certificationUri: uri, certificationFrom: from, certificationTo: to };
}

export function certificationOf(row: CertificationColumns): Certification {
  return {
    status: row.certificationStatus,
    uri: row.certificationUri,
    from: row.certificationFrom,
    to: row.certificationTo,
  };
}

/** Whether the certification holds at this moment; its end acts by itself. */
export function isCertified({ status, from, to }: Certification, now: Date): boolean {
  if (status !== 'certified' && status !== 'self_certified') return false;
  return (from === null || from <= now) && (to === null || now < to);
}

/** What whoever runs an API may say of it himself. */
const OWN_WORDS: readonly CertificationStatus[] = ['awaiting', 'self_certified'];

/**
 * Members certify nothing but by themselves, and take back nothing that their authority found.
 * @throws RegistryError validation_failed
 */
export function requireMayCertify(
  actor: Actor,
  before: CertificationColumns | undefined,
  after: CertificationColumns,
): void {
  if (!isMember(actor)) return;
  const present = before === undefined ? NOT_CERTIFIED : certificationOf(before);
  const wanted = certificationOf(after);
  if (isDeepStrictEqual(present, wanted)) return;
  if (OWN_WORDS.includes(present.status) && OWN_WORDS.includes(wanted.status)) return;
  throw invalidField('/certification/status', `is for the authority to say; a member says ${OWN_WORDS.join(' or ')}`);
}

/**
 * Who may come in is for the authority to say, also of what a member offers. What is asked for already may be retired
 * by now.
 * @throws RegistryError validation_failed
 */
export async function requireMayAskFor(
  tx: Tx,
  actor: Actor,
  before: readonly string[],
  { authorityId, requiredRoles }: Pick<ApiResourceRow, 'authorityId' | 'requiredRoles'>,
): Promise<void> {
  const field = '/requiredRoles';
  if (isDeepStrictEqual(before, requiredRoles)) return;
  if (isMember(actor)) throw invalidField(field, 'is for the authority to say');
  const added = requiredRoles.filter((id) => !before.includes(id));
  try {
    await holdRoles(tx, authorityId, added);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw invalidField(field, `names a role that cannot be asked for: ${error.message}`);
  }
}

/**
 * Which tokens open an API is for the authority to say, also of what a member offers.
 * @throws RegistryError validation_failed
 */
export function requireMayNameAudience(actor: Actor, before: string | null, { audience }: ApiResourceRow): void {
  if (audience !== before && isMember(actor)) throw invalidField('/audience', 'is for the authority to say');
}

/** @throws RegistryError validation_failed */
export function requireValidApi(
  { endpoints, ...row }: Omit<ApiResourceRow, 'family' | 'apiVersion'>,
  options: IdentifierOptions,
): void {
  const wrong = endpoints.findIndex((endpoint) => !isEndpointUrl(endpoint, options));
  if (wrong !== -1) throw invalidField(`/endpoints/${wrong}`, 'is no https URL without user info and fragment');
  const { uri, from, to } = certificationOf(row);
  if (uri !== null && !isEndpointUrl(uri, options)) {
    throw invalidField('/certification/uri', 'is no https URL without user info and fragment');
  }
  if (from !== null && to !== null && from > to) throw invalidField('/certification/to', 'is before from');
  requireOrderedDates(row);
}

export function apiResourceSnapshot(api: ApiResourceRow): JsonObject {
  const { status, uri, from, to } = certificationOf(api);
  return {
    authorizationServerId: api.authorizationServerId,
    family: api.family,
    apiVersion: api.apiVersion,
    endpoints: api.endpoints,
    requiredRoles: api.requiredRoles,
    audience: api.audience,
    certification: { status, uri, from: from?.toISOString() ?? null, to: to?.toISOString() ?? null },
    deprecatedAt: api.deprecatedAt?.toISOString() ?? null,
    retiresAt: api.retiresAt?.toISOString() ?? null,
    supersededBy: api.supersededBy,
    removedAt: api.removedAt?.toISOString() ?? null,
  };
}
