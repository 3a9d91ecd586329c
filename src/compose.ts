/** The wiring: hands each module the few things it needs. It opens no file, database or port; start.ts does. */
import packageJson from '../package.json' with { type: 'json' };
import { composeEnrolment } from './compose-enrolment.ts';
import { type ComposedHosting, composeHosting } from './compose-hosting.ts';
import { type Config, isLoopbackDeployment } from './config/config.ts';
import type { RetrieveConfiguration } from './enrolment/configuration-checks.ts';
import { FederationError } from './federation/errors.ts';
import type { EntityIdentifier } from './federation/identifiers.ts';
import type { JwkSet } from './federation/jwk-set.ts';
import type { HouseRules } from './federation/lint/house-rules.ts';

import type { Clock } from './federation/time.ts';
import { createClientNetworkOf } from './http/client-address.ts';
import { createApp } from './http/create-app.ts';
import { BackgroundEvaluations } from './http/federation/background-evaluations.ts';
import { Callers } from './http/federation/callers.ts';
import { ClientQuotas } from './http/federation/client-quotas.ts';
import { createFederationDoor } from './http/federation/federation-door.ts';
import { HotAnswers } from './http/federation/hot-answers.ts';
import { createPlainDoor } from './http/federation/plain-door.ts';
import { DEFAULT_ANONYMOUS_POLICY, DEFAULT_AUTHENTICATED_POLICY, RateLimits } from './http/federation/rate-limits.ts';
import { Resolutions } from './http/federation/resolutions.ts';
import { UsedAssertions } from './http/federation/used-assertions.ts';
import { createHostedDoor } from './http/hosted/hosted-door.ts';
import { auditCheckpointSigner } from './issuance/audit-checkpoint-signer.ts';
import { EntityCollections } from './issuance/companion/entity-collections.ts';
import { ExtendedLists } from './issuance/companion/extended-lists.ts';
import { SubordinateEvents } from './issuance/companion/subordinate-events.ts';
import { TooManyLoads } from './issuance/following-cache.ts';
import { type ReadyAnswer, ReadyAnswers } from './issuance/ready-answers.ts';
import { SignedResolutions } from './issuance/signed-resolutions.ts';
import { StatementIssuer } from './issuance/statement-issuer.ts';
import { delegationSigner } from './issuance/trust-marks/delegation-signer.ts';
import { TrustMarkAnswers } from './issuance/trust-marks/trust-mark-answers.ts';
import { TrustMarkIssuer } from './issuance/trust-marks/trust-mark-issuer.ts';
import { TrustMarkStatuses } from './issuance/trust-marks/trust-mark-status.ts';
import { DirectoryUpkeep } from './jobs/directory-upkeep.ts';
import { keepDates } from './jobs/keep-dates.ts';
import { ConfigurationRefreshes } from './jobs/refresh-configurations.ts';
import { refreshHeldTrustMarks } from './jobs/refresh-held-trust-marks.ts';
import { KeyRolls } from './jobs/roll-authority-keys.ts';
import { rollHostedKeys } from './jobs/roll-hosted-keys.ts';
import { runEnrolments } from './jobs/run-enrolments.ts';
import { createSuperiorStatements } from './jobs/superior-statements.ts';
import { TrustMarkIssuers } from './jobs/trust-mark-issuers.ts';
import { CollectionWalks } from './jobs/walk-collections.ts';
import type { Log } from './observability/log.ts';
import { parseOutboundAllow } from './outbound/address-rules.ts';
import { Deadline } from './outbound/deadline.ts';
import { createOutboundClient, type OutboundClient } from './outbound/outbound-client.ts';
import type { Actor } from './registry/actor.ts';
import { affectedSubjects } from './registry/affected-subjects.ts';
import type { SignAuditCheckpoint } from './registry/audit/audit-checkpoint.ts';
import type { GenerateAuthorityKey } from './registry/authorities/authority.ts';
import { AuthorityDirectory } from './registry/authorities/authority-directory.ts';
import type { SignedByKey } from './registry/authorities/keys/signed-by-key.ts';
import { noteTokenObject } from './registry/authorities/keys/token-objects-in-making.ts';
import type { ChangeContext } from './registry/change.ts';
import { LIFETIME_SECONDS } from './registry/claims-input.ts';
import { SYSTEM } from './registry/prepare-deployment.ts';
import { createRecordIds } from './registry/record-id.ts';
import { FIRST_ADMIN } from './registry/tokens/create-token.ts';

import { believedTrustAnchors } from './registry/trust-anchors/seen-keys.ts';
import { SeenKeysRecorder } from './registry/trust-anchors/seen-keys-recorder.ts';

import { affectedTrustMarks } from './registry/trust-marks/affected-trust-marks.ts';
import { MARKS_AND_DELEGATIONS } from './registry/trust-marks/signed-by-key.ts';

import { retrieveEntityConfiguration } from './resolver/http-statement-source.ts';
import { ResolutionCache } from './resolver/resolution-cache.ts';
import { createResolver } from './resolver/resolver.ts';
import { StatementCache } from './resolver/statement-cache.ts';
import type { OwnAuthorities } from './resolver/statement-source.ts';
import { retrieveSubordinateList } from './resolver/subordinate-list.ts';
import { TrustAnchorKeys } from './resolver/trust-anchor-keys.ts';
import { type OwnTrustMarkStatus, TrustMarkStatusClient } from './resolver/trust-mark-status.ts';
import type { MasterKey } from './signer/sealing.ts';
import { createSigner, type TokenCustody } from './signer/signer.ts';
import { type ChangeFeed, createChangeFeed, type RegistryChange, StaleStateError } from './storage/change-feed.ts';
import type { Database } from './storage/connect.ts';
import { RetrievedStatements } from './storage/retrieved-statements.ts';
import { UsedAssertionRecords } from './storage/used-assertions.ts';

/** What the parts are made from. */
export interface Materials {
  config: Config;
  /** Certificate authorities trusted for outgoing requests besides those that Node trusts, in PEM form. */
  extraCas?: readonly string[];
  database: Database;
  masterKey: MasterKey;
  /** Where some of the keys are, or new ones are made. */
  tokenCustody?: TokenCustody | undefined;
  clock: Clock;
  log: Log;
  /** Who a bearer token stands for. */
  authenticate: (secret: string) => Promise<Actor | undefined>;
  /** Called when the first admin token was made. */
  firstAdminMade?: () => Promise<void>;
}

export interface Composition extends AsyncDisposable {
  app: ReturnType<typeof createApp>;
  directory: AuthorityDirectory;
  changeContext: (actor: Actor, requestId: string | null) => ChangeContext;
  generateAuthorityKey: GenerateAuthorityKey;
  /** Moves the keys of all authorities along, as far as it is time; to be run again and again. */
  keyRolls: KeyRolls;
  /** The same for the keys of hosted entities. */
  rollHostedKeys: (signal?: AbortSignal) => Promise<void>;
  /** Asks for fresh Trust Marks where our authorities show some that age; to be run again and again. */
  refreshTrustMarks: (signal?: AbortSignal) => Promise<void>;
  /** Fetches configurations of subordinates that are due; to be run again and again. */
  configurationRefreshes: ConfigurationRefreshes;
  /** Looks for entities below Intermediates elsewhere; to be run again and again. */
  collectionWalks: CollectionWalks;
  signAuditCheckpoint: SignAuditCheckpoint;
  /** Looks in their turn at enrolments that came without a token; to be run again and again. */
  runEnrolments: (signal?: AbortSignal) => Promise<void>;
  /** Does what is to happen at dates that somebody set; to be run again and again. */
  keepDates: (signal?: AbortSignal) => Promise<void>;
  /** Reminds members, notes what lapsed and acts on it; to be run again and again. */
  directoryUpkeep: DirectoryUpkeep;
}

/** Wires the service and lets its caches follow the registry from its present seq. */
export async function compose({
  config,
  extraCas = [],
  database,
  masterKey,
  tokenCustody,
  clock,
  log,
  authenticate,
  firstAdminMade,
}: Materials): Promise<Composition> {
  await using stack = new AsyncDisposableStack();
  const { db } = database;
  const { allowHttp, statementCacheBytes, resolver: limits } = config;
  const signer = createSigner(
    masterKey,
    tokenCustody && { ...tokenCustody, note: (place) => noteTokenObject(db, place) },
  );
  const understoodClaims: ReadonlySet<string> = new Set(config.understoodClaims);
  const houseRules: HouseRules = { allowHttp, understoodClaims, maxLifetimeSeconds: LIFETIME_SECONDS.max };
  const directory = new AuthorityDirectory(database.feedDb);
  const issuer = new StatementIssuer({ db, signer, clock, random: Math.random, houseRules });
  const answers = new ReadyAnswers({ db, issuer, clock, directory, statementCacheBytes });
  const hosting = composeHosting({ config, database, signer, issuer, clock, houseRules });
  const marksIssuer = new TrustMarkIssuer({ db, signer, clock, random: Math.random, houseRules });
  const statuses = new TrustMarkStatuses({ db, signer, clock, houseRules });
  const trustMarks = new TrustMarkAnswers({ db, issuer: marksIssuer, statuses, clock, directory });
  const extendedLists = new ExtendedLists({ db, answers, clock, onUnfit: log.statementUnfit });
  const subordinateEvents = new SubordinateEvents({ db, signer, clock, directory, houseRules });
  const collections = new EntityCollections({ db, directory, clock });
  const companions: Companions = { extendedLists, subordinateEvents, collections };
  const ownAuthorities = ownAuthoritiesOf(directory, answers);
  const outbound = stack.use(participantsClient(config, extraCas));
  const cache = new StatementCache({
    ...limits.statements,
    clock,
    store: new RetrievedStatements(db),
    onStoreError: onceAMinute(clock, log.statementStoreFailed),
  });
  const trustAnchorKeys = new TrustAnchorKeys((event) => {
    const { trustAnchor, kind, jwks } = event;
    log.trustAnchorKeys({ trustAnchor, kind, kids: jwks.keys.map(({ kid }) => kid) });
    seenKeys.record(event);
  });
  const resolver = createResolver({
    ...{ outbound, ownAuthorities, clock, allowHttp, understoodClaims, cache },
    budget: limits.budget,
    timeoutMs: limits.timeoutMs,
    requestTimeoutMs: limits.requestTimeoutMs,
    trustMarkBudget: limits.trustMarkBudget,
    trustMarkStatus: new TrustMarkStatusClient({
      ...limits.trustMarkStatus,
      ...{ outbound, clock, allowHttp, ownStatus: ownTrustMarkStatus(directory, statuses) },
    }),
    trustAnchorKeys,
  });
  const resolutionCache = new ResolutionCache({ ...limits.resolutions, clock });
  const resolutions = new Resolutions({
    ...{ resolver, cache: resolutionCache, directory, clock },
    newRequests: limits.newRequests,
    evaluations: limits.evaluations,
  });
  const background = stack.use(
    new BackgroundEvaluations({
      resolve: (request, onRequest) => resolutions.resolve(request, { account: { kind: 'background' } }, onRequest),
      clock,
      onError: (error) => log.requestFailed(error, 'background evaluation'),
      budget: limits.background,
    }),
  );
  const feed = stack.use(
    createChangeFeed({
      database,
      onChanges: (changes) =>
        follow(changes, {
          ...{ database, directory, answers, trustMarks, companions, hosting },
          ...{ resolutions, trustAnchorKeys, background, log },
        }),
      onError: log.stateStale,
    }),
  );
  const newId = createRecordIds(() => Date.now());
  const changeContext = (actor: Actor, requestId: string | null): ChangeContext => ({
    db,
    actor,
    now: new Date(clock.now() * 1000),
    requestId,
    newId,
    allowHttp,
    understoodClaims,
    hostingSites: hosting.sites,
    committed: async (seq) => {
      if (actor.id === FIRST_ADMIN) await firstAdminMade?.();
      await caughtUp(feed, seq);
    },
  });
  const seenKeys = stack.use(
    new SeenKeysRecorder({ context: () => changeContext(SYSTEM, null), onError: log.trustAnchorKeysUnrecorded }),
  );
  const generateAuthorityKey: GenerateAuthorityKey = (authorityId) =>
    signer.generateKey(authorityId, config.keyAlgorithm);
  const signedByKey: SignedByKey = MARKS_AND_DELEGATIONS;
  const keyRolls = new KeyRolls({
    db,
    changeContext: () => changeContext(SYSTEM, null),
    generateKey: generateAuthorityKey,
    signedByKey,
    readSuperiorStatement: createSuperiorStatements({ outbound, ownAuthorities, clock, allowHttp, understoodClaims }),
    onWaiting: log.authorityKeyWaits,
    onError: log.keyRollFailed,
  });
  const retrievePublished = async (entity: EntityIdentifier) =>
    (await ownAuthorities.entityConfiguration(entity)) ?? (await retrieveEntityConfiguration(outbound, entity));
  const retrieveConfiguration: RetrieveConfiguration = async (entity, record) =>
    (await hosting.checked(entity, record, outbound)) ?? (await retrievePublished(entity));
  const enrolment = stack.use(
    composeEnrolment({
      ...{ config, extraCas, directory, signer, houseRules, clock, retrieveConfiguration },
      participants: outbound,
    }),
  );
  const markIssuers = new TrustMarkIssuers({
    ...{ outbound, clock, allowHttp, understoodClaims, retrieveConfiguration: retrievePublished },
    ownTrustMark: async ({ issuer, trustMarkType, bearer }) => {
      const served = directory.find(issuer);
      if (served === undefined) return undefined;
      const answer = await trustMarks.mark(served, trustMarkType, bearer);
      return answer === undefined ? null : textOf(answer);
    },
  });
  const { verify: verifyTrustMark, fetchTrustMark } = markIssuers;
  const refreshTrustMarks = (signal?: AbortSignal) =>
    refreshHeldTrustMarks(
      {
        ...{ db, clock, fetchTrustMark, verify: verifyTrustMark, onProblem: log.heldTrustMarkStale },
        changeContext: () => changeContext(SYSTEM, null),
        identifierOf: (authorityId) => directory.get(authorityId)?.authority.entityIdentifier,
      },
      signal,
    );
  const rollHosted = (signal?: AbortSignal) =>
    rollHostedKeys(
      {
        ...{ db, generateKey: hosting.generateKey, onError: log.keyRollFailed },
        changeContext: () => changeContext(SYSTEM, null),
      },
      signal,
    );
  const collectionWalks = new CollectionWalks({
    ...{ db, clock, directory, resolver, allowHttp },
    listSubordinates: (endpoint, signal) => retrieveSubordinateList(outbound, endpoint, { allowHttp, signal }),
    intervalSeconds: config.refreshIntervalSeconds,
    random: Math.random,
    onError: log.walkFailed,
  });
  const configurationRefreshes = new ConfigurationRefreshes({
    db,
    changeContext: () => changeContext(SYSTEM, null),
    retrieveConfiguration,
    intervalSeconds: config.refreshIntervalSeconds,
    random: Math.random,
    onError: log.refreshFailed,
  });
  const signAuditCheckpoint = auditCheckpointSigner({ directory, signer, houseRules });
  await feed.start();
  await directory.reload();
  await hosting.hosts.reload();
  await followPins(database, trustAnchorKeys);
  const signed = new SignedResolutions({ signer, clock, houseRules });
  const identifiers = { allowHttp };
  const used = new UsedAssertions({ clock, store: new UsedAssertionRecords(db) });
  const quotas = clientQuotas(config, clock);
  const hot = new HotAnswers({ clock, state: feed });
  const app = createApp({
    plain: createPlainDoor({ directory, answers, hot, freshness: feed, clock }),
    federation: createFederationDoor({
      directory,
      answers,
      trustMarks,
      ...companions,
      resolve: {
        db,
        resolutions,
        signed,
        identifiers,
        callers: new Callers({ db, directory, resolutions, authenticate, used, clock, identifiers }),
        quotas,
        background,
        anonymous: config.resolveAnonymous,
      },
      subordinates: {
        changeContext: (actor) => changeContext(actor, null),
        ...{ retrieveConfiguration, enrolmentTools: enrolment.tools, used },
      },
      freshness: feed,
      hot,
      clock,
      logError: log.requestFailed,
    }),
    hosted: createHostedDoor({
      configurations: hosting.configurations,
      kindOfHost: (hostname) => hosting.hosts.kindOf(hostname),
      freshness: feed,
      clock,
      logError: log.requestFailed,
    }),
    api: {
      db,
      authenticate,
      changeContext,
      retrieveConfiguration,
      enrolmentTools: enrolment.tools,
      generateAuthorityKey,
      generateHostedKey: hosting.generateKey,
      previewHosted: (draft) => hosting.configurations.preview(draft),
      hostedKeyTools: hosting.keyTools,
      signedByKey,
      ...{ verifyTrustMark, fetchTrustMark, signDelegation: delegationSigner({ directory, signer, houseRules }) },
      signAuditCheckpoint,
      ...{ directory, resolutions, identifiers },
      tokenEndpoint: { url: `${config.baseUrl}/api/v1/oauth/token`, quotas, used, clock },
      readiness: () => readiness(feed),
    },
    publicAuthorities: () => directory.all.map(({ authority }) => authority),
    logError: log.requestFailed,
  });
  const running = stack.move();
  return {
    refreshTrustMarks,
    app,
    directory,
    changeContext,
    generateAuthorityKey,
    keyRolls,
    rollHostedKeys: rollHosted,
    configurationRefreshes,
    collectionWalks,
    signAuditCheckpoint,
    runEnrolments: (signal) =>
      runEnrolments(
        { db, changeContext: () => changeContext(SYSTEM, null), tools: enrolment.tools, onError: log.upkeepFailed },
        signal,
      ),
    keepDates: (signal) =>
      keepDates({ changeContext: () => changeContext(SYSTEM, null), onError: log.upkeepFailed }, signal),
    directoryUpkeep: new DirectoryUpkeep({
      changeContext: () => changeContext(SYSTEM, null),
      ...{ identifiers, onError: log.upkeepFailed },
    }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** A database that is away fails every question: one line a minute tells that as well. */
function onceAMinute(clock: Clock, report: (error: unknown) => void): (error: unknown) => void {
  let silentUntil = 0;
  return (error) => {
    if (clock.now() < silentUntil) return;
    silentUntil = clock.now() + 60;
    report(error);
  };
}

function clientQuotas({ trustedProxies, resolver: { quotas } }: Config, clock: Clock): ClientQuotas {
  return new ClientQuotas({
    limits: new RateLimits({ clock }),
    networkOf: createClientNetworkOf(trustedProxies),
    anonymousPolicy: { ...DEFAULT_ANONYMOUS_POLICY, ...quotas.anonymous },
    authenticatedPolicy: { ...DEFAULT_AUTHENTICATED_POLICY, ...quotas.authenticated },
  });
}

/**
 * Reaches what participants name. What an operator configures, such as an identity provider or a hook, gets a client
 * and a list of its own: a participant must not reach through its entries.
 * A deployment on localhost is somebody trying it out, with partners on the same machine.
 */
function participantsClient(config: Config, extraCas: readonly string[]): OutboundClient {
  const ownMachine = isLoopbackDeployment(config) ? ['localhost', '127.0.0.0/8', '::1'] : [];
  const allowed = [...ownMachine, config.outboundAllow].filter((entries) => entries.trim() !== '');
  return createOutboundClient({
    ...config.resolver.outbound,
    allow: parseOutboundAllow(allowed.join(',')),
    allowHttp: config.allowHttp,
    userAgent: `holdfast/${packageJson.version}`,
    extraCas,
  });
}

/** What our own authorities say, from the caches that follow the registry. */
function ownAuthoritiesOf(directory: AuthorityDirectory, answers: ReadyAnswers): OwnAuthorities {
  return {
    async entityConfiguration(entity) {
      const served = directory.find(entity);
      return served && textOf(await answers.entityConfiguration(served));
    },
    async subordinateStatement(authority, subject) {
      const served = directory.find(authority);
      const answer = served && (await answers.subordinateStatement(served, subject));
      return answer === undefined ? null : textOf(answer);
    },
  };
}

/** What our own authorities say about their Trust Marks; too many questions at a time are refused. */
function ownTrustMarkStatus(directory: AuthorityDirectory, statuses: TrustMarkStatuses): OwnTrustMarkStatus {
  return async (issuer, trustMarkJwt) => {
    const served = directory.find(issuer);
    try {
      return served && (await statuses.status(served, trustMarkJwt));
    } catch (error) {
      if (!(error instanceof TooManyLoads)) throw error;
      throw new FederationError('server_unavailable', 'too many Trust Marks are looked up; try again later');
    }
  };
}

function textOf({ body }: ReadyAnswer): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body);
}

/** The companion drafts: each follows the registry like the answers of the standard. */
interface Companions {
  extendedLists: ExtendedLists;
  subordinateEvents: SubordinateEvents;
  collections: EntityCollections;
}

interface Followers {
  database: Database;
  directory: AuthorityDirectory;
  answers: ReadyAnswers;
  trustMarks: TrustMarkAnswers;
  companions: Companions;
  hosting: ComposedHosting;
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
async function follow(changes: RegistryChange[], followers: Followers): Promise<void> {
  const { database, directory, answers, trustMarks, companions, resolutions, trustAnchorKeys, background, log } =
    followers;
  const affected = await affectedSubjects(database.feedDb, changes);
  const marks = await affectedTrustMarks(database.feedDb, changes);
  await directory.follow(changes);
  if (changes.some(({ subjectKind }) => subjectKind === 'trust_anchor')) await followPins(database, trustAnchorKeys);
  await followers.hosting.follow(changes, affected);
  answers.follow(changes, affected, marks);
  trustMarks.follow(changes, marks);
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
async function followPins({ feedDb }: Database, trustAnchorKeys: TrustAnchorKeys): Promise<void> {
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
async function caughtUp(feed: ChangeFeed, seq: number): Promise<void> {
  const late = (cause?: unknown) => new StaleStateError(`change ${seq} is recorded but does not show here`, { cause });
  using deadline = new Deadline({ timeoutMs: OWN_CHANGE_TIMEOUT_MS, expired: () => late() });
  try {
    await deadline.race(feed.catchUp(seq));
  } catch (cause) {
    throw late(cause);
  }
}

async function readiness(feed: ChangeFeed): Promise<{ ready: boolean; seq: number }> {
  try {
    await feed.ensureCurrent();
    return { ready: true, seq: feed.seq };
  } catch {
    return { ready: false, seq: feed.seq };
  }
}
