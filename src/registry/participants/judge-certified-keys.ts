/** Whether certificates of Federation Entity Keys may count: nobody proves to have such a key, so credentials go before. */
import { and, eq, inArray, ne, or } from 'drizzle-orm';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { credentials, transportKeys } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisationDomains } from '../../storage/schema/organisation-proofs.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { type NamedSubject, subjectComplaint } from '../credentials/subject-complaint.ts';
import { registrationOf } from '../organisations/registration.ts';
import { isRecordId } from '../record-id.ts';
import { LIVE_STATES } from '../states.ts';
import type { UnjudgedKey } from './certified-keys.ts';
import type { CertifiedKey, KnownApplication } from './known-participants.ts';

type Unjudged = Omit<KnownApplication, 'certifiedKeys'> & { certifiedKeys: readonly UnjudgedKey[] };

/** Judged by what the registry says now; what has no such key costs nothing. */
export async function judgeCertifiedKeys(db: Db | Tx, applications: Unjudged[]): Promise<KnownApplication[]> {
  const listing = applications.filter(({ certifiedKeys }) => certifiedKeys.length > 0);
  if (listing.length === 0) return applications.map((application) => ({ ...application, certifiedKeys: NONE }));
  const [isForeign, isBarred] = [await subjectJudge(db, listing), await credentialJudge(db, listing)];
  return applications.map((application) => ({
    ...application,
    certifiedKeys: application.certifiedKeys.map(({ named, ...key }) => {
      if (isForeign(application, { named, ...key })) return { ...key, objection: 'subject' };
      return { ...key, objection: isBarred(application, key) ? 'credential' : null };
    }),
  }));
}

const NONE: readonly never[] = [];

type Judge<Key> = (application: Unjudged, key: Key) => boolean;

/** The same rule as for credentials; since nobody looked at it before, as strict as where issuers are believed. */
async function subjectJudge(db: Db | Tx, listing: readonly Unjudged[]): Promise<Judge<UnjudgedKey>> {
  const organisationIds = [...new Set(listing.map(({ organisationId }) => organisationId))];
  const owners = await db.select().from(organisations).where(isAnyOf(organisations.id, organisationIds));
  const registrations = new Map(owners.map((owner) => [owner.id, registrationOf(owner)]));
  const { organisationId, domain, method } = organisationDomains;
  const proofs = await db
    .select({ organisationId, domain, method })
    .from(organisationDomains)
    .where(isAnyOf(organisationId, organisationIds));
  const domainsOf = Map.groupBy(proofs, (proof) => proof.organisationId);
  const found = await entitiesNamed(db, listing);
  const others = Map.groupBy(found, ({ entityIdentifier }) => entityIdentifier);
  for (const one of found) others.set(one.id, [one]);
  return (application, { named }) => {
    const { id, authorityId } = application;
    const complaint = subjectComplaint(named, {
      ...application,
      registration: registrations.get(application.organisationId) ?? null,
      domains: domainsOf.get(application.organisationId) ?? [],
      others: namesIn(named)
        .flatMap((name) => others.get(name) ?? [])
        .filter((other) => other.authorityId === authorityId && other.id !== id),
      isListed: true,
    });
    return complaint !== undefined;
  };
}

/** Open records with an id, or an identifier, that stands in one of the certificates. */
async function entitiesNamed(db: Db | Tx, listing: readonly Unjudged[]) {
  const names = listing.flatMap(({ certifiedKeys }) => certifiedKeys.flatMap(({ named }) => namesIn(named)));
  const authorityIds = [...new Set(listing.map((application) => application.authorityId))];
  const { id, authorityId, organisationId, entityIdentifier, state } = entities;
  const isNamed = or(isAnyOf(id, names.filter(isRecordId)), isAnyOf(entityIdentifier, names));
  return await db
    .select({ id, authorityId, organisationId, entityIdentifier })
    .from(entities)
    .where(and(isAnyOf(authorityId, authorityIds), isNamed, inArray(state, [...LIVE_STATES])));
}

function namesIn({ userIds, uris, dnsNames }: NamedSubject): string[] {
  return [...userIds, ...uris, ...dnsNames.map((name) => `https://${name}`)];
}

/**
 * By credentials of the same authority alone: nobody elsewhere ends anything here. They bar the key where it is another
 * open entity's or compromised, and the certificate where it is held or revoked, for whatever use.
 */
async function credentialJudge(db: Db | Tx, listing: readonly Unjudged[]): Promise<Judge<CertifiedKeyName>> {
  const keys = [...new Set(listing.flatMap(({ certifiedKeys }) => certifiedKeys.map((key) => key.spkiSha256)))];
  const holders = await db
    .select({ authorityId: entities.authorityId, entityId: entities.id, spkiSha256: transportKeys.spkiSha256 })
    .from(transportKeys)
    .innerJoin(entities, eq(entities.id, transportKeys.entityId))
    .where(and(isAnyOf(transportKeys.spkiSha256, keys), inArray(entities.state, [...LIVE_STATES])));
  const { authorityId, spkiSha256, x5tS256, revocationReason } = credentials;
  const ended = await db
    .select({ authorityId, spkiSha256, x5tS256, revocationReason })
    .from(credentials)
    .where(and(isAnyOf(spkiSha256, keys), ne(credentials.state, 'active')));
  const holdersOf = Map.groupBy(holders, (holder) => holder.spkiSha256);
  const endedOf = Map.groupBy(ended, (credential) => credential.spkiSha256);
  return (application, key) => {
    const isHere = (one: { authorityId: string }) => one.authorityId === application.authorityId;
    const holder = holdersOf.get(key.spkiSha256)?.some((one) => isHere(one) && one.entityId !== application.id);
    const isEnd = (one: (typeof ended)[number]) =>
      one.revocationReason === 'key_compromise' || one.x5tS256 === key.x5tS256;
    return holder === true || (endedOf.get(key.spkiSha256) ?? []).some((one) => isHere(one) && isEnd(one));
  };
}

type CertifiedKeyName = Pick<CertifiedKey, 'spkiSha256' | 'x5tS256'>;
