/** Wires what happens by itself. */
import type { ComposedHosting } from './compose-hosting.ts';
import type { Config } from './config/config.ts';
import type { RetrieveConfiguration } from './enrolment/configuration-checks.ts';
import type { EnrolmentTools } from './enrolment/flow/step-subject.ts';
import type { Clock } from './federation/time.ts';
import { judgePaths } from './jobs/judge-paths.ts';
import { keepDates } from './jobs/keep-dates.ts';
import { keepMembersAlive } from './jobs/keep-members-alive.ts';
import { ConfigurationRefreshes } from './jobs/refresh-configurations.ts';
import { refreshHeldTrustMarks } from './jobs/refresh-held-trust-marks.ts';
import { reviewConfigurations } from './jobs/review-configurations.ts';
import { KeyRolls } from './jobs/roll-authority-keys.ts';
import { rollHostedKeys } from './jobs/roll-hosted-keys.ts';
import { runEnrolments } from './jobs/run-enrolments.ts';
import { signHostedConfigurations } from './jobs/sign-hosted-configurations.ts';
import { createSuperiorStatements } from './jobs/superior-statements.ts';
import type { TrustMarkIssuers } from './jobs/trust-mark-issuers.ts';
import { CollectionWalks } from './jobs/walk-collections.ts';
import type { Log } from './observability/log.ts';
import type { OutboundClient } from './outbound/outbound-client.ts';
import type { GenerateAuthorityKey } from './registry/authorities/authority.ts';
import type { AuthorityDirectory } from './registry/authorities/authority-directory.ts';
import type { SignedByKey } from './registry/authorities/keys/signed-by-key.ts';
import type { ChangeContext } from './registry/change.ts';
import type { Resolver } from './resolver/resolver.ts';
import type { OwnAuthorities } from './resolver/statement-source.ts';
import { retrieveSubordinateList } from './resolver/subordinate-list.ts';
import type { Database } from './storage/connect.ts';

/** What the jobs are made from. */
export interface JobParts {
  config: Config;
  db: Database['db'];
  clock: Clock;
  log: Log;
  directory: AuthorityDirectory;
  resolver: Resolver;
  outbound: OutboundClient;
  ownAuthorities: OwnAuthorities;
  hosting: ComposedHosting;
  signedByKey: SignedByKey;
  /** For changes that the service itself makes. */
  changeContext: () => ChangeContext;
  generateAuthorityKey: GenerateAuthorityKey;
  retrieveConfiguration: RetrieveConfiguration;
  fetchTrustMark: TrustMarkIssuers['fetchTrustMark'];
  verifyTrustMark: TrustMarkIssuers['verify'];
  enrolmentTools: EnrolmentTools;
}

export interface ComposedJobs {
  /** Moves the keys of all authorities along, as far as it is time; to be run again and again. */
  keyRolls: KeyRolls;
  /** The same for the keys of hosted entities. */
  rollHostedKeys: (signal?: AbortSignal) => Promise<void>;
  /** Signs Entity Configurations of hosted entities anew as they age; to be run again and again. */
  signHostedConfigurations: (signal?: AbortSignal) => Promise<void>;
  /** Asks for fresh Trust Marks where our authorities show some that age; to be run again and again. */
  refreshTrustMarks: (signal?: AbortSignal) => Promise<void>;
  /** Fetches configurations of subordinates that are due; to be run again and again. */
  configurationRefreshes: ConfigurationRefreshes;
  /** Looks for entities below Intermediates elsewhere; to be run again and again. */
  collectionWalks: CollectionWalks;
  /** Looks in their turn at enrolments that came without a token; to be run again and again. */
  runEnrolments: (signal?: AbortSignal) => Promise<void>;
  /** Does what is to happen at dates that somebody set; to be run again and again. */
  keepDates: (signal?: AbortSignal) => Promise<void>;
  /** Looks for the paths of certificates anew once a trust list changed; to be run again and again. */
  judgePaths: (signal?: AbortSignal) => Promise<void>;
  /** Reminds members, notes what lapsed and acts on it; to be run again and again. */
  keepMembersAlive: (signal?: AbortSignal) => Promise<void>;
  /** Compares configurations that were taken in with what is said of their entities; to be run once a day. */
  reviewConfigurations: (signal?: AbortSignal) => Promise<void>;
}

export function composeJobs(parts: JobParts): ComposedJobs {
  const { config, db, clock, log, directory, outbound, ownAuthorities, hosting, changeContext } = parts;
  const { allowHttp, refreshIntervalSeconds: intervalSeconds } = config;
  const { fetchTrustMark, verifyTrustMark: verify, enrolmentTools, retrieveConfiguration, signedByKey } = parts;
  const identifiers = { allowHttp };
  const understoodClaims: ReadonlySet<string> = new Set(config.understoodClaims);
  const identifierOf = (authorityId: string) => directory.get(authorityId)?.authority.entityIdentifier;
  const upkeep = { changeContext, onError: log.upkeepFailed };
  return {
    keyRolls: new KeyRolls({
      ...{ db, changeContext, generateKey: parts.generateAuthorityKey, signedByKey },
      readSuperiorStatement: createSuperiorStatements({ outbound, ownAuthorities, clock, allowHttp, understoodClaims }),
      onWaiting: log.authorityKeyWaits,
      onError: log.keyRollFailed,
    }),
    rollHostedKeys: (signal) =>
      rollHostedKeys({ db, generateKey: hosting.generateKey, onError: log.keyRollFailed, changeContext }, signal),
    signHostedConfigurations: (signal) =>
      signHostedConfigurations(
        { db, clock, configurations: hosting.configurations, onError: log.statementUnfit },
        signal,
      ),
    refreshTrustMarks: (signal) =>
      refreshHeldTrustMarks(
        { db, clock, fetchTrustMark, verify, onProblem: log.heldTrustMarkStale, changeContext, identifierOf },
        signal,
      ),
    configurationRefreshes: new ConfigurationRefreshes({
      ...{ db, changeContext, retrieveConfiguration, intervalSeconds },
      random: Math.random,
      onError: log.refreshFailed,
    }),
    collectionWalks: new CollectionWalks({
      ...{ db, clock, directory, resolver: parts.resolver, allowHttp, intervalSeconds },
      listSubordinates: (endpoint, signal) => retrieveSubordinateList(outbound, endpoint, { allowHttp, signal }),
      random: Math.random,
      onError: log.walkFailed,
    }),
    runEnrolments: (signal) => runEnrolments({ db, ...upkeep, tools: enrolmentTools }, signal),
    keepDates: (signal) => keepDates(upkeep, signal),
    judgePaths: (signal) => judgePaths({ changeContext }, signal),
    keepMembersAlive: (signal) => keepMembersAlive(upkeep, signal),
    reviewConfigurations: (signal) =>
      reviewConfigurations({ db, now: () => changeContext().now, identifiers, onError: log.upkeepFailed }, signal),
  };
}
