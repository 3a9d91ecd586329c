/** How every cache follows the registry, and what a change waits for. */
import type { ParticipantIndex } from './admission/participant-index.ts';
import type { ComposedCertification } from './compose-certification.ts';
import type { ComposedHosting } from './compose-hosting.ts';
import type { EntityIdentifier } from './federation/identifiers.ts';
import type { JwkSet } from './federation/jwk-set.ts';
import type { BackgroundEvaluations } from './http/federation/background-evaluations.ts';
import type { Resolutions } from './http/federation/resolutions.ts';
import type { EntityCollections } from './issuance/companion/entity-collections.ts';
import type { ExtendedLists } from './issuance/companion/extended-lists.ts';
import type { SubordinateEvents } from './issuance/companion/subordinate-events.ts';
import type { KeyStores } from './issuance/key-stores.ts';
import type { ParticipantsDocument } from './issuance/participants/participants-document.ts';
import type { ReadyAnswers } from './issuance/ready-answers.ts';
import type { TrustMarkAnswers } from './issuance/trust-marks/trust-mark-answers.ts';
import type { Log } from './observability/log.ts';
import { Deadline } from './outbound/deadline.ts';
import { affectedSubjects } from './registry/affected-subjects.ts';
import type { AuthorityDirectory } from './registry/authorities/authority-directory.ts';
import { believedTrustAnchors } from './registry/trust-anchors/seen-keys.ts';
import { affectedTrustMarks } from './registry/trust-marks/affected-trust-marks.ts';
import type { TrustAnchorKeys } from './resolver/trust-anchor-keys.ts';
import { type ChangeFeed, type RegistryChange, StaleStateError } from './storage/change-feed.ts';
import type { Database } from './storage/connect.ts';

/** The companion drafts: each follows the registry like the answers of the standard. */
export interface Companions {
  extendedLists: ExtendedLists;
  subordinateEvents: SubordinateEvents;
  collections: EntityCollections;
}

export interface Followers {
  database: Database;
  directory: AuthorityDirectory;
  answers: ReadyAnswers;
  trustMarks: TrustMarkAnswers;
  companions: Companions;
  keyStores: KeyStores;
  certification: Pick<ComposedCertification, 'follow'>;
  participantsDocument: ParticipantsDocument;
  hosting: ComposedHosting;
  participants: ParticipantIndex;
  resolutions: Resolutions;
  trustAnchorKeys: TrustAnchorKeys;
  background: BackgroundEvaluations;
  log: Log;
}

/** Changes by which a subject may resolve that did not: tokens, names and the like are none. */
const RESOLVED_BY: ReadonlySet<string> = new Set([
  'authority',
  'authority_key',
  'trust_anchor',
  'entity',
  'organisation',
  // By their policies.
  'role',
  'role_assignment',
]);

/** Every cache follows the registry before the new seq counts as served. */
export async function follow(changes: RegistryChange[], followers: Followers): Promise<void> {
  const { database, directory, answers, trustMarks, companions, resolutions, trustAnchorKeys, background, log } =
    followers;
  await followers.participants.follow(changes);
  const affected = await affectedSubjects(database.feedDb, changes);
  const marks = await affectedTrustMarks(database.feedDb, changes);
  await directory.follow(changes);
  if (changes.some(({ subjectKind }) => subjectKind === 'trust_anchor')) await followPins(database, trustAnchorKeys);
  await followers.hosting.follow(changes, affected);
  answers.follow(changes, affected, marks);
  trustMarks.follow(changes, marks);
  followers.keyStores.follow(changes);
  await followers.certification.follow(changes);
  followers.participantsDocument.follow(changes);
  companions.extendedLists.follow(changes, affected, marks);
  companions.subordinateEvents.follow(changes, affected);
  companions.collections.follow(changes, affected, marks);
  const bearers = marks.map(({ authorityId, subject }) => ({ authorityId, entityIdentifier: subject }));
  resolutions.follow(changes, [...affected, ...bearers]);
  if (changes.some(({ subjectKind }) => RESOLVED_BY.has(subjectKind))) background.forget();
  for (const seq of new Set(changes.map((change) => change.seq))) {
    const actions = changes.filter((change) => change.seq === seq).map((change) => change.action);
    log.registryChanged({ seq, actions });
  }
}

/** What any node learned from a rollover counts at every node, for as long as the pins are the same. */
export async function followPins({ feedDb }: Database, trustAnchorKeys: TrustAnchorKeys): Promise<void> {
  const pins = (await believedTrustAnchors(feedDb)).map(({ entityIdentifier, pinned, learned }) => ({
    trustAnchor: entityIdentifier as EntityIdentifier,
    pinned: pinned as JwkSet,
    learned,
  }));
  trustAnchorKeys.retain(pins);
  trustAnchorKeys.adopt(
    pins.flatMap(({ learned, ...pin }) =>
      learned === null ? [] : [{ ...pin, jwks: learned.jwks as JwkSet, iat: learned.iat }],
    ),
  );
}

/** How long the author of a change waits for it to show here. */
const OWN_CHANGE_TIMEOUT_MS = 5_000;

/** @throws StaleStateError when the change, although recorded, does not show here in time */
export async function caughtUp(feed: ChangeFeed, seq: number): Promise<void> {
  const late = (cause?: unknown) => new StaleStateError(`change ${seq} is recorded but does not show here`, { cause });
  using deadline = new Deadline({ timeoutMs: OWN_CHANGE_TIMEOUT_MS, expired: () => late() });
  try {
    await deadline.race(feed.catchUp(seq));
  } catch (cause) {
    throw late(cause);
  }
}

export async function readiness(feed: ChangeFeed): Promise<{ ready: boolean; seq: number }> {
  try {
    await feed.ensureCurrent();
    return { ready: true, seq: feed.seq };
  } catch {
    return { ready: false, seq: feed.seq };
  }
}
