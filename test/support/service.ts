/** The service as composed for production, on a test database and a clock that tests move: only the port is missing. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Composition, compose } from '../../src/compose.ts';
import { type Config, loadConfig } from '../../src/config/config.ts';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import type { JwkSet } from '../../src/federation/jwk-set.ts';
import type { TrustAnchors } from '../../src/federation/trust-chain/trust-chain.ts';
import { endpointUrl, type FederationEndpoint } from '../../src/issuance/authority-endpoints.ts';
import type { PeriodicJob } from '../../src/jobs/job-queue.ts';
import { makeDueAuditCheckpoint } from '../../src/jobs/make-audit-checkpoints.ts';
import { createLog, type Log } from '../../src/observability/log.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import type { Actor } from '../../src/registry/actor.ts';
import { type Authority, type GenerateAuthorityKey, isPublishedKey } from '../../src/registry/authorities/authority.ts';
import { listAuthorityKeys } from '../../src/registry/authorities/read-authority.ts';
import type { ChangeContext } from '../../src/registry/change.ts';
import type { NewEntity } from '../../src/registry/entities/add-entity.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import type { Organisation } from '../../src/registry/organisations/organisation.ts';
import { SYSTEM } from '../../src/registry/prepare-deployment.ts';
import { createAuthenticator } from '../../src/registry/tokens/authenticate.ts';
import { createToken, FIRST_ADMIN } from '../../src/registry/tokens/create-token.ts';
import type { TokenCustody } from '../../src/signer/signer.ts';
import type { Role } from '../../src/storage/schema/api-tokens.ts';
import type { ParticipantState } from '../../src/storage/schema/organisations.ts';
import { createTestDatabase, type DATABASE_KINDS, type TestDatabase } from './databases.ts';
import { ManualClock, type TestFederation } from './federation.ts';
import { actor, nextId, TEST_MASTER_KEY, TestRegistry } from './registry.ts';

/**
 * Starts a service that thinks it is tried out on localhost, so that it may ask servers of the test on 127.0.0.1.
 * @example
 * await using service = await startTestService('embedded');
 * const authority = await service.authority();
 * const entity = await service.entity(await service.organisation(authority));
 * const response = await service.ask(authority, 'fetch', { sub: entity.entityIdentifier });
 */
export async function startTestService(
  kind: (typeof DATABASE_KINDS)[number],
  settings: Partial<Config> = {},
  custody?: TokenCustody,
): Promise<TestService> {
  const database = await createTestDatabase(kind);
  try {
    return await TestService.start(database, settings, custody);
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/** Parameters of a request to an endpoint: repeated ones as an array, or the query as it goes over the wire. */
export type Query = Record<string, string | readonly string[]> | string;

/** Stands for the first admin token, which counts here beside all others. */
export const FIRST_ADMIN_SECRET = 'the-first-admin-token';

const SHOWN_JOB: PeriodicJob = {
  ...{ name: 'prune_expired', everySeconds: 3600, summary: 'deletes what has expired' },
  run: async () => undefined,
};

const FIRST_ADMIN_ACTOR = actor({ id: FIRST_ADMIN, roles: [] });

export class TestService extends TestRegistry {
  readonly clock = new ManualClock();
  /** How far the clock that is never set is ahead of the process. */
  readonly monotonic = { aheadMs: 0 };
  /** What the service logged as unexpected, in order. */
  readonly failures: unknown[] = [];
  readonly #settings: Partial<Config>;
  readonly #custody: TokenCustody | undefined;
  #composition: Composition | undefined;

  private constructor(database: TestDatabase, settings: Partial<Config>, custody: TokenCustody | undefined) {
    super(database);
    this.#settings = settings;
    this.#custody = custody;
  }

  static async start(database: TestDatabase, settings: Partial<Config>, custody?: TokenCustody): Promise<TestService> {
    const service = new TestService(database, settings, custody);
    await service.#compose();
    return service;
  }

  get #running(): Composition {
    if (this.#composition === undefined) throw new Error('the service is not running');
    return this.#composition;
  }

  get app(): Composition['app'] {
    return this.#running.app;
  }

  /** In the token, if the service has one. */
  override get generateKey(): GenerateAuthorityKey {
    return this.#custody === undefined ? super.generateKey : this.#running.generateAuthorityKey;
  }

  get signAuditCheckpoint(): Composition['signAuditCheckpoint'] {
    return this.#running.signAuditCheckpoint;
  }

  /** One round of the job that has checkpoints of the audit signed, a day after each other. */
  async makeDueAuditCheckpoint(): Promise<void> {
    const { directory, changeContext, signAuditCheckpoint: sign } = this.#running;
    const intervalSeconds = 86_400;
    await makeDueAuditCheckpoint({
      changeContext: () => changeContext(SYSTEM, null),
      directory,
      sign,
      intervalSeconds,
    });
  }

  get jobQueue(): Composition['jobQueue'] {
    return this.#running.jobQueue;
  }

  get eventStreams(): Composition['eventStreams'] {
    return this.#running.eventStreams;
  }

  get admission(): Composition['admission'] {
    return this.#running.admission;
  }

  /** What is noted of decisions and acknowledgements; `save` writes it down, as the service does every second. */
  get evidence(): Composition['evidence'] {
    return this.#running.evidence;
  }

  /** Adds what this node answered to the hours that all share, as the service does every 25 seconds. */
  get saveServiceMinute(): Composition['saveServiceMinute'] {
    return this.#running.saveServiceMinute;
  }

  /** What issues certificates, and answers about them. */
  get certification(): Composition['certification'] {
    return this.#running.certification;
  }

  get keyRolls(): Composition['keyRolls'] {
    return this.#running.keyRolls;
  }

  /** One round of the job that moves the keys of hosted entities along. */
  async rollHostedKeys(): Promise<void> {
    await this.#running.rollHostedKeys();
  }

  /** One round of the job that signs configurations of hosted entities anew. */
  async signHostedConfigurations(): Promise<void> {
    await this.#running.signHostedConfigurations();
  }

  /** One round of the job that makes lists of revocations. */
  async publishRevocationLists(): Promise<void> {
    await this.#running.certification.revocationLists.publish();
  }

  /** One round of the job that reminds members, and suspends what lapsed. */
  async keepMembersAlive(): Promise<void> {
    await this.#running.keepMembersAlive();
  }

  /** One round of the job that does what happens at a date. */
  async keepDates(): Promise<void> {
    await this.#running.keepDates();
  }

  /** One round of the job that looks at enrolments that came without a token. */
  async runEnrolments(): Promise<void> {
    await this.#running.runEnrolments();
  }

  /** One round of the job that keeps the Trust Marks fresh that our authorities show. */
  async refreshTrustMarks(): Promise<void> {
    await this.#running.refreshTrustMarks();
  }

  /** One round of the job that looks for entities below Intermediates elsewhere. */
  async walkCollections(): Promise<void> {
    await this.#running.collectionWalks.run();
  }

  /** What `/metrics` shows of the service; what is read from the database is up to 30 seconds old. */
  async metrics(): Promise<string> {
    return await createMetrics({ ...this.#running.measured, hasProcessMetrics: false }).text();
  }

  /** Stops the service and starts it again on the same database, as after a deployment: every cache is empty. */
  async restart(): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
    await this.#compose();
  }

  async #compose(): Promise<void> {
    const { config } = loadConfig({});
    const failed = (error: unknown) => void this.failures.push(error);
    const log: Log = {
      ...createLog('silent'),
      ...{ requestFailed: failed, keyRollFailed: failed, statementUnfit: failed, walkFailed: failed },
    };
    const authenticate = createAuthenticator({
      db: this.db,
      now: () => new Date(this.clock.now() * 1000),
      adminToken: undefined,
      keepAdminToken: false,
      firstAdminToken: undefined,
      warn: log.warning,
    });
    this.#composition = await compose({
      config: { ...config, ...this.#settings },
      database: this.database,
      masterKey: TEST_MASTER_KEY,
      tokenCustody: this.#custody,
      clock: this.clock,
      monotonicMs: () => performance.now() + this.monotonic.aheadMs,
      log,
      authenticate: async (secret, shown) =>
        secret === FIRST_ADMIN_SECRET ? FIRST_ADMIN_ACTOR : await authenticate(secret, shown),
    });
    // Nothing happens by itself here; the API shows one job.
    this.#composition.jobQueue.define({ periodic: [SHOWN_JOB] });
  }

  /** Changes made with it are followed by the service before they return, as those of its API are. */
  override context(by: Actor = actor(), changes: Partial<ChangeContext> = {}): ChangeContext {
    return { ...this.#running.changeContext(by, null), newId: nextId, ...changes };
  }

  /** A request as it comes from a client; the host is that of the URL. */
  async fetch(url: string, init?: RequestInit): Promise<Response> {
    return await this.app.fetch(new Request(url, init));
  }

  /** A request to the resolve endpoint with a form, as callers send it that prove a name. */
  async post(authority: Authority, form: Exclude<Query, string>): Promise<Response> {
    return await this.ask(authority, 'resolve', {}, { method: 'POST', body: parametersOf(form) });
  }

  /** Asks an endpoint of an authority where its Entity Configuration says that it is. */
  async ask(
    authority: Authority,
    endpoint: FederationEndpoint,
    query: Query = {},
    init?: RequestInit,
  ): Promise<Response> {
    return await this.fetch(urlOf(authority, endpoint, query), init);
  }

  /** The Federation Entity Keys that an authority publishes. */
  async jwks(authority: Authority): Promise<JwkSet> {
    const keys = await listAuthorityKeys(this.db, actor(), authority.id);
    return { keys: keys.filter(isPublishedKey).map((key) => key.publicJwk) } as JwkSet;
  }

  /** Authorities as others know them, for validators. */
  async trustAnchors(...authorities: Authority[]): Promise<TrustAnchors> {
    const entries = authorities.map(
      async (authority) => [authority.entityIdentifier as EntityIdentifier, await this.jwks(authority)] as const,
    );
    return new Map(await Promise.all(entries));
  }

  /** What the status endpoint of an authority answers about a Trust Mark. */
  async askStatus(authority: Authority, trustMarkJwt: string): Promise<Response> {
    const body = parametersOf({ trust_mark: trustMarkJwt });
    return await this.ask(authority, 'trustMarkStatus', {}, { method: 'POST', body });
  }

  /** Another authority of ours as an Intermediate, and the record of it under its superior. */
  async intermediate(
    superior: Authority,
    organisation: Organisation,
    settings: Partial<NewEntity> = {},
  ): Promise<{ intermediate: Authority; record: Entity }> {
    const intermediate = await this.authority({ authorityHints: [superior.entityIdentifier] });
    const record = await this.entity(organisation, {
      entityIdentifier: intermediate.entityIdentifier,
      jwks: await this.jwks(intermediate),
      verifiedEntityTypes: ['federation_entity'],
      verifiedIntermediate: true,
      ...settings,
    });
    return { intermediate, record };
  }

  /** The record of an entity of a test federation, with its own keys and Entity Types. */
  async admit(
    organisation: Organisation,
    federation: TestFederation,
    name: string,
    settings: Partial<NewEntity> = {},
    state: ParticipantState = 'active',
  ): Promise<Entity> {
    const { identifier, metadata } = federation.entity(name);
    const verifiedEntityTypes = [...new Set(['federation_entity', ...Object.keys(metadata)])];
    const shown = { entityIdentifier: identifier, jwks: federation.jwks(name), verifiedEntityTypes };
    return await this.entity(organisation, { ...shown, ...settings }, state);
  }

  /** The `Authorization` header of somebody with these roles in these authorities. */
  async bearer(roles: Role[], authorities: Authority[] | 'all' = 'all'): Promise<{ authorization: string }> {
    const authorityIds = authorities === 'all' ? null : authorities.map(({ id }) => id);
    const token = { name: 'caller', roles, authorityIds, lifetimeSeconds: 86_400 };
    const { secret } = await createToken(this.context(), token);
    return { authorization: `Bearer ${secret}` };
  }

  /** Serves the same app on 127.0.0.1 as the real service does, for what only a socket shows. */
  async listen(): Promise<{ origin: string } & AsyncDisposable> {
    const server = createServer(this.app.listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return {
      origin: `http://127.0.0.1:${port}`,
      [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
    };
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#composition?.[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}

/** Where an authority serves an endpoint, with a query. */
export function urlOf({ entityIdentifier }: Authority, endpoint: FederationEndpoint, query: Query = {}): string {
  const url = endpointUrl(entityIdentifier, endpoint);
  const text = typeof query === 'string' ? query : parametersOf(query).toString();
  return text === '' ? url : `${url}?${text}`;
}

function parametersOf(query: Exclude<Query, string>): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, values] of Object.entries(query)) {
    for (const value of [values].flat()) parameters.append(name, value);
  }
  return parameters;
}
