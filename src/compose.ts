/** The wiring: hands each module the few things it needs. It opens no file, database or port; start.ts does. */
import { hostname } from 'node:os';
import packageJson from '../package.json' with { type: 'json' };
import type { Admission } from './admission/admission.ts';
import { CertificateClients } from './admission/certificate-clients.ts';
import { composeAdmission, participantIndex } from './compose-admission.ts';
import { composeCanary } from './compose-canary.ts';
import { type ComposedCertification, composeCertification } from './compose-certification.ts';
import { composeEnrolment } from './compose-enrolment.ts';
import { composeEst } from './compose-est.ts';
import { type ComposedEvidence, composeEvidence } from './compose-evidence.ts';
import { type Companions, caughtUp, follow, followPins, readiness } from './compose-following.ts';
import { composeHosting } from './compose-hosting.ts';
import { type ComposedJobs, composeJobs } from './compose-jobs.ts';
import {
  admissionCounter,
  createInstruments,
  type Instruments,
  measuredClient,
  measuredEarlyDoor,
  measuredPlainDoor,
  measuredResolver,
  measuredSigner,
  requestObserver,
  tracedDb,
} from './compose-measured.ts';
import { type ComposedMeasures, composeMeasures, serviceMinutes } from './compose-measures.ts';
import { ownAuthoritiesOf, ownTrustMarkStatus, textOf } from './compose-own-answers.ts';
import { type ComposedWebhooks, composeWebhooks, webhookUrlObjections } from './compose-webhooks.ts';
import { type Config, isLoopbackDeployment } from './config/config.ts';
import type { RetrieveConfiguration } from './enrolment/configuration-checks.ts';
import type { EntityIdentifier } from './federation/identifiers.ts';
import type { HouseRules } from './federation/lint/house-rules.ts';
import type { Clock } from './federation/time.ts';
import { ADMISSION_PATH, createAdmissionDoor } from './http/admission/admission-door.ts';
import { type AdmissionDoor, createForwardAuthDoor } from './http/admission/forward-auth-door.ts';
import { signForPoints } from './http/admission/signing-room.ts';
import { EventStreams } from './http/api/events/event-streams.ts';
import { createOcspDoor } from './http/certification/ocsp-door.ts';
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
import { createParticipantsDoor } from './http/participants/participants-door.ts';
import { admissionDecisionSigner } from './issuance/admission-decision-signer.ts';
import { auditCheckpointSigner } from './issuance/audit-checkpoint-signer.ts';
import { EntityCollections } from './issuance/companion/entity-collections.ts';
import { ExtendedLists } from './issuance/companion/extended-lists.ts';
import { SubordinateEvents } from './issuance/companion/subordinate-events.ts';
import { KeyStores } from './issuance/key-stores.ts';
import { ParticipantsDocument } from './issuance/participants/participants-document.ts';
import { ReadyAnswers } from './issuance/ready-answers.ts';
import { SignedResolutions } from './issuance/signed-resolutions.ts';
import { softwareStatements } from './issuance/software-statements.ts';
import { StatementIssuer } from './issuance/statement-issuer.ts';
import { delegationSigner } from './issuance/trust-marks/delegation-signer.ts';
import { TrustMarkAnswers } from './issuance/trust-marks/trust-mark-answers.ts';
import { TrustMarkIssuer } from './issuance/trust-marks/trust-mark-issuer.ts';
import { TrustMarkStatuses } from './issuance/trust-marks/trust-mark-status.ts';
import { JobQueue } from './jobs/job-queue.ts';
import type { Canary } from './jobs/knock-as-canary.ts';
import { TrustMarkIssuers } from './jobs/trust-mark-issuers.ts';
import type { Log } from './observability/log.ts';
import { NO_TRACING } from './observability/tracing.ts';
import { parseOutboundAllow } from './outbound/address-rules.ts';
import type { ClientCertificate } from './outbound/client-certificate.ts';
import { createOutboundClient, type OutboundClient } from './outbound/outbound-client.ts';
import type { Actor } from './registry/actor.ts';
import type { SignAuditCheckpoint } from './registry/audit/audit-checkpoint.ts';
import type { GenerateAuthorityKey } from './registry/authorities/authority.ts';
import { AuthorityDirectory } from './registry/authorities/authority-directory.ts';
import type { SignedByKey } from './registry/authorities/keys/signed-by-key.ts';
import { noteTokenObject } from './registry/authorities/keys/token-objects-in-making.ts';
import type { ChangeContext } from './registry/change.ts';
import { LIFETIME_SECONDS } from './registry/claims-input.ts';
import { EventWaiters } from './registry/events/event-waiters.ts';
import { LiveEvents } from './registry/events/live-events.ts';
import { SYSTEM } from './registry/prepare-deployment.ts';
import { createRecordIds } from './registry/record-id.ts';
import type { Authenticate } from './registry/tokens/authenticate.ts';
import { FIRST_ADMIN } from './registry/tokens/create-token.ts';
import { SeenKeysRecorder } from './registry/trust-anchors/seen-keys-recorder.ts';
import { MARKS_AND_DELEGATIONS } from './registry/trust-marks/signed-by-key.ts';
import { retrieveEntityConfiguration } from './resolver/http-statement-source.ts';
import { ResolutionCache } from './resolver/resolution-cache.ts';
import { createResolver } from './resolver/resolver.ts';
import { StatementCache } from './resolver/statement-cache.ts';
import { TrustAnchorKeys } from './resolver/trust-anchor-keys.ts';
import { TrustMarkStatusClient } from './resolver/trust-mark-status.ts';
import { sealClientSecret } from './signer/client-secrets.ts';
import type { MasterKey } from './signer/sealing.ts';
import { createSigner, type TokenCustody } from './signer/signer.ts';
import { createChangeFeed } from './storage/change-feed.ts';
import type { Database } from './storage/connect.ts';
import { RetrievedStatements } from './storage/retrieved-statements.ts';
import { UsedAssertionRecords } from './storage/used-assertions.ts';

/** What the parts are made from. */
export interface Materials {
  config: Config;
  /** Certificate authorities trusted for outgoing requests besides those that Node trusts, in PEM form. */
  extraCas?: readonly string[];
  database: Database;
  /** Of the participant that knocks at gateways and is refused; nobody does without. */
  canaryCertificate?: ClientCertificate | undefined;
  masterKey: MasterKey;
  /** Where some of the keys are, or new ones are made. */
  tokenCustody?: TokenCustody | undefined;
  clock: Clock;
  /** Milliseconds of a clock that is never set; that of the process unless given. */
  monotonicMs?: () => number;
  log: Log;
  /** Who a bearer token stands for. */
  authenticate: Authenticate;
  /** Called when the first admin token was made. */
  firstAdminMade?: () => Promise<void>;
  /** What counts and traces; counts alone unless given. */
  instruments?: Instruments;
}

export interface Composition extends ComposedJobs, AsyncDisposable {
  app: ReturnType<typeof createApp>;
  admission: Admission;
  evidence: ComposedEvidence;
  certification: ComposedCertification;
  /** Kept up by whoever calls it every second; otherwise made when it is asked for. */
  participantsDocument: ParticipantsDocument;
  eventStreams: EventStreams;
  webhooks: ComposedWebhooks;
  /** Knocks at gateways where it is time; to be run again and again. Undefined where no certificate for that is set up. */
  canary: Canary | undefined;
  /** For what happens by itself: it is begun where jobs are started. */
  jobQueue: JobQueue;
  instruments: Instruments;
  /** What `/metrics` shows. */
  measured: ComposedMeasures;
  /** Adds what was answered to the hours that all nodes share; to be run again and again. */
  saveServiceMinute: () => Promise<void>;
  directory: AuthorityDirectory;
  changeContext: (actor: Actor, requestId: string | null) => ChangeContext;
  generateAuthorityKey: GenerateAuthorityKey;
  signAuditCheckpoint: SignAuditCheckpoint;
}

/** Wires the service and lets its caches follow the registry from its present seq. */
export async function compose({
  config,
  extraCas = [],
  database,
  canaryCertificate: clientCertificate,
  masterKey,
  tokenCustody,
  clock,
  monotonicMs,
  log,
  authenticate,
  firstAdminMade,
  instruments = createInstruments(),
}: Materials): Promise<Composition> {
  await using stack = new AsyncDisposableStack();
  const { db } = database;
  const { allowHttp, statementCacheBytes, resolver: limits } = config;
  const signer = measuredSigner(
    createSigner(masterKey, tokenCustody && { ...tokenCustody, note: (place) => noteTokenObject(db, place) }),
    instruments,
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
  const keyStores = new KeyStores({ db, clock, baseUrl: config.baseUrl });
  const participantsDocument = stack.use(
    new ParticipantsDocument({
      ...{ db, clock, monotonicMs, baseUrl: config.baseUrl },
      onError: (error) => log.requestFailed(error, 'participants'),
    }),
  );
  const companions: Companions = { extendedLists, subordinateEvents, collections };
  const ownAuthorities = ownAuthoritiesOf(directory, answers);
  const outbound = stack.use(measuredClient(participantsClient(config, extraCas), 'participants', instruments));
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
  const plainResolver = createResolver({
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
  const resolver = measuredResolver(plainResolver, instruments);
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
  const participants = participantIndex(database);
  const evidence = stack.use(composeEvidence({ ...{ db, log }, state: () => admission.state }));
  const countAdmission = admissionCounter(instruments);
  const admission = composeAdmission({
    ...{ index: participants, ageMs: () => feed.ageMs, clock, log, directory, resolutions },
    requests: stack.use(measuredClient(participantsClient(config, extraCas), 'token_issuers', instruments)),
    masterKey,
    observe: (asked) => {
      countAdmission(asked);
      evidence.observe(asked);
    },
  });
  const waiters = new EventWaiters({ seq: () => feed.seq });
  const eventStreams = new EventStreams({ live: new LiveEvents({ db, waiters }) });
  const feed = stack.use(
    createChangeFeed({
      ...{ database, monotonicMs },
      onChanges: async (changes) => {
        await follow(changes, {
          ...{ database, directory, answers, trustMarks, companions, keyStores, hosting, participants },
          participantsDocument,
          ...{ resolutions, trustAnchorKeys, background, log, certification },
        });
        evidence.streams.announce();
        const concernsTokens = changes.some(({ subjectKind }) => subjectKind === 'api_token');
        waiters.announce(changes.at(-1)?.seq ?? feed.seq, { concernsTokens });
        webhooks.deliveries.announce(changes);
        if (changes.some(({ subjectKind }) => subjectKind === 'webhook')) jobQueue.keysChanged();
      },
      onError: log.stateStale,
    }),
  );
  const newId = createRecordIds(() => Date.now());
  const changeDb = tracedDb(db, instruments);
  const webhookUrlObjection = webhookUrlObjections(config);
  const changeContext = (actor: Actor, requestId: string | null): ChangeContext => ({
    db: changeDb,
    actor,
    now: new Date(clock.now() * 1000),
    requestId,
    newId,
    allowHttp,
    understoodClaims,
    hostingSites: hosting.sites,
    webhookUrlObjection,
    committed: async (seq) => {
      if (actor.id === FIRST_ADMIN) await firstAdminMade?.();
      await caughtUp(feed, seq);
    },
  });
  const webhooks = stack.use(
    composeWebhooks({
      ...{ config, db, log, extraCas, masterKey, instruments },
      changeContext: () => changeContext(SYSTEM, null),
    }),
  );
  const certification = composeCertification({
    ...{ config, database, signer, clock, log, feed: () => feed },
    changeContext: () => changeContext(SYSTEM, null),
  });
  const seenKeys = stack.use(
    new SeenKeysRecorder({ context: () => changeContext(SYSTEM, null), onError: log.trustAnchorKeysUnrecorded }),
  );
  const generateAuthorityKey: GenerateAuthorityKey = (authorityId) =>
    signer.generateKey(authorityId, config.keyAlgorithm);
  const signedByKey: SignedByKey = MARKS_AND_DELEGATIONS;
  const retrievePublished = async (entity: EntityIdentifier) =>
    (await ownAuthorities.entityConfiguration(entity)) ?? (await retrieveEntityConfiguration(outbound, entity));
  const retrieveConfiguration: RetrieveConfiguration = async (entity, record) =>
    (await hosting.checked(entity, record, outbound)) ?? (await retrievePublished(entity));
  const enrolment = stack.use(
    composeEnrolment({
      ...{ config, extraCas, directory, signer, houseRules, clock, retrieveConfiguration, instruments },
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
  const jobs = composeJobs({
    ...{ config, db, clock, log, directory, resolver, outbound, ownAuthorities, hosting, signedByKey },
    ...{ changeContext: () => changeContext(SYSTEM, null), generateAuthorityKey, retrieveConfiguration },
    ...{ fetchTrustMark, verifyTrustMark, enrolmentTools: enrolment.tools },
  });
  const jobQueue = stack.use(new JobQueue({ database, log, node: `${hostname()} ${process.pid}` }));
  const signAuditCheckpoint = auditCheckpointSigner({ directory, signer, houseRules });
  await feed.start();
  await directory.reload();
  await hosting.hosts.reload();
  await followPins(database, trustAnchorKeys);
  await participants.load(feed.seq);
  // What changed while it was read is followed before anybody is let in.
  await feed.catchUp();
  const signed = new SignedResolutions({ signer, clock, houseRules });
  const identifiers = { allowHttp };
  const used = new UsedAssertions({ clock, store: new UsedAssertionRecords(db) });
  const quotas = clientQuotas(config, clock);
  const hot = new HotAnswers({ clock, state: feed });
  const signAdmissionDecision = signForPoints(admissionDecisionSigner({ directory, signer, houseRules }));
  const certificateClients = new CertificateClients({ admission, freshness: feed, clock });
  const ofAdmission = { admission, clock, logError: log.requestFailed };
  const measuredDoor = (door: AdmissionDoor, route: string): AdmissionDoor =>
    measuredEarlyDoor(door, { door: 'admission', route }, instruments, log);
  const admissionDoor = measuredDoor(
    createAdmissionDoor({ ...ofAdmission, sign: signAdmissionDecision }),
    ADMISSION_PATH,
  );
  const forwardAuthDoor = measuredDoor(createForwardAuthDoor(ofAdmission), '/api/v1/admission/http');
  const ocspDoor = createOcspDoor({
    ...{ responses: certification.ocspResponses, state: feed, clock, logError: log.requestFailed },
  });
  const observe = requestObserver(instruments, log);
  const { tracing } = instruments;
  const plain = createPlainDoor({ directory, answers, hot, freshness: feed, clock });
  const app = createApp({
    plain: measuredPlainDoor(plain, instruments, log),
    admission: (incoming, outgoing) => admissionDoor(incoming, outgoing) || forwardAuthDoor(incoming, outgoing),
    ocsp: measuredEarlyDoor(ocspDoor, { door: 'public', route: '/ca/{id}/ocsp' }, instruments, log),
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
      observe,
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
      authenticate: (secret, certificate) =>
        authenticate(secret, certificate && certificateClients.shown(certificate.x5tS256)),
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
      sealClientSecret: (secret, place) => sealClientSecret(masterKey, secret, place),
      ...{ sealWebhookSecret: webhooks.sealSecret, sendPing: webhooks.sendPing },
      ...{ admission, signAdmissionDecision },
      stateSoftware: softwareStatements({
        ...{ db, directory, signer, houseRules, clock, baseUrl: config.baseUrl, state: feed },
      }),
      ...{ directory, resolutions, identifiers },
      enforcementPoints: {
        ...{ clock, acknowledgements: evidence.acknowledgements, streams: evidence.streams },
        state: () => admission.state,
        caughtUp: (seq) => caughtUp(feed, seq),
      },
      tokenEndpoint: { url: `${config.baseUrl}/api/v1/oauth/token`, quotas, used, clock, certificateClients },
      jobs: jobQueue,
      certification: certification.tools,
      ...{ registryState: feed, eventStreams },
      readiness: () => readiness(feed),
    },
    participants: createParticipantsDoor({
      ...{ document: participantsDocument, state: feed, directory },
      isHosting: (hostname) => (hosting.hosts.kindOf(hostname) ?? 'awaited') !== 'awaited',
      observe,
      logError: log.requestFailed,
    }),
    keyStores: { stores: keyStores, state: feed, clock },
    revocationLists: { lists: certification.revocationLists, state: feed, clock },
    est: composeEst({
      ...{ db, quotas, issueCertificate: certification.tools.issueCertificate },
      changeContext: (requestId) => changeContext(SYSTEM, requestId),
    }),
    publicAuthorities: () => directory.all.map(({ authority }) => authority),
    observe,
    ...(tracing !== NO_TRACING && { traced: (traceparent, work) => tracing.request(traceparent, work) }),
    logError: log.requestFailed,
  });
  const parts = { tallies: instruments.tallies, database, feed, hot, answers, resolutionCache, jobQueue };
  const saveServiceMinute = serviceMinutes(parts, () => new Date(clock.now() * 1000));
  const running = stack.move();
  return {
    ...jobs,
    ...{
      app,
      admission,
      evidence,
      certification,
      participantsDocument,
      eventStreams,
      webhooks,
      jobQueue,
      saveServiceMinute,
      instruments,
    },
    measured: composeMeasures({ ...parts, version: packageJson.version }),
    canary:
      clientCertificate &&
      composeCanary({ ...{ config, db, log, extraCas, clientCertificate, instruments }, state: () => admission.state }),
    directory,
    changeContext,
    generateAuthorityKey,
    signAuditCheckpoint,
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
