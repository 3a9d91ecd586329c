/** Serves hostile federations over real HTTP, resolves in them, and tells the whole outcome in lines of text. */
import { performance } from 'node:perf_hooks';
import { expect } from 'vitest';
import type { Attempt } from '../../src/federation/trust-chain/attempt.ts';
import type { TrustAnchors } from '../../src/federation/trust-chain/trust-chain.ts';
import type { Resolution } from '../../src/resolver/resolution.ts';
import { createResolver, type ResolverOptions } from '../../src/resolver/resolver.ts';
import { TrustMarkStatusClient } from '../../src/resolver/trust-mark-status.ts';
import type { RefusedTrustMark } from '../../src/resolver/trust-marks.ts';
import { verdictOf } from '../../src/resolver/verdict.ts';
import { serveBoundless } from './boundless-host.ts';
import { type EntitySettings, ManualClock } from './federation.ts';
import { type FederationServer, type ServerOptions, serveFederation } from './federation-server.ts';
import { testClient } from './outbound.ts';
import { names, type Outcome } from './resolving.ts';

/** A federation in which something is odd or hostile, and what is to come of it. */
export interface HostileCase {
  /** What is odd, in words that complete "a federation in which …" or stand for themselves. */
  title: string;
  /**
   * Its entities; the Trust Anchor is `anchor` and the subject `op` unless said otherwise. A function is told the
   * origin of the boundless host, to name its entities as superiors.
   */
  entities: Record<string, EntitySettings> | ((boundless: string) => Record<string, EntitySettings>);
  /** Superiors of every entity of a boundless host beside the federation; told how to identify those of the latter. */
  boundless?: (name: string, id: (name: string) => string) => readonly string[];
  /** What its servers say that the builder would not. */
  tamper?: (server: FederationServer) => void | Promise<void>;
  subject?: string;
  /** Names of the Trust Anchors, whose present keys are pinned. */
  anchors?: string[];
  /** The pinned keys, where they are not the present ones. */
  pinned?: (server: FederationServer) => TrustAnchors | Promise<TrustAnchors>;
  server?: ServerOptions;
  limits?: Pick<ResolverOptions, 'budget' | 'timeoutMs'>;
  /** Lines as `outcomeOf` gives them. */
  outcome: readonly string[];
  /** Looks further at a subject that was resolved, and at what was asked for. */
  inspect?: (resolved: Resolution, server: FederationServer) => void;
}

/** Wall clock of a resolution in a case that does not name its own. */
const TIMEOUT_MS = 3000;
/** How much longer than its budget a resolution may take, whatever it meets. */
const GRACE_MS = 1000;
/** From this many attempts or marks on that end alike, they are counted instead of told one by one. */
const MANY = 6;

/** Serves the federation, resolves its subject, and asserts outcome and time. */
export async function expectOutcome(hostile: HostileCase): Promise<void> {
  const { entities, boundless = () => [] } = hostile;
  let published: FederationServer | undefined;
  const id = (name: string): string => published?.federation.id(name) ?? name;
  await using host = await serveBoundless((name) => boundless(name, id));
  const settings = typeof entities === 'function' ? entities(host.origin) : entities;
  await using server = await serveFederation(settings, hostile.server);
  published = server;
  await hostile.tamper?.(server);
  const outcome = await resolveWithin(server, hostile);
  const { port } = new URL(server.origin);
  const lines = outcomeOf(server, outcome).map((line) =>
    line.replaceAll(host.origin, 'boundless').replaceAll(port, 'port'),
  );
  expect(lines).toEqual(hostile.outcome);
  if (outcome.resolved !== undefined) hostile.inspect?.(outcome.resolved, server);
}

async function resolveWithin(server: FederationServer, hostile: HostileCase): Promise<Outcome> {
  const { subject = 'op', anchors = ['anchor'], limits = {} } = hostile;
  await using outbound = testClient();
  const timeoutMs = limits.timeoutMs ?? TIMEOUT_MS;
  const clock = new ManualClock();
  const trustMarkStatus = new TrustMarkStatusClient({ outbound, clock });
  const resolver = createResolver({ outbound, clock, timeoutMs, budget: limits.budget, trustMarkStatus });
  const trustAnchors = (await hostile.pinned?.(server)) ?? server.federation.trustAnchors(...anchors);
  const begun = performance.now();
  const outcome = await resolver.resolve({ subject: server.federation.id(subject), trustAnchors });
  expect(performance.now() - begun).toBeLessThan(timeoutMs + GRACE_MS);
  return outcome;
}

/**
 * `resolved over op lower anchor`, below it `mark by issuer` for each that counts and `left out: trust_mark_expired
 * (§7.3) at /trust_marks/0/trust_mark /exp` for each that does not; or the verdict of a resolve endpoint and below it what each way came to, such as
 * `op lower: typ_invalid (§3) at Entity Configuration header/typ`.
 */
export function outcomeOf(server: FederationServer, { resolved, attempts = [] }: Outcome): string[] {
  if (resolved === undefined) return [verdictOf(attempts), ...attemptLines(server, attempts)];
  const issuers = resolved.trustChain.map((jwt) => JSON.parse(Buffer.from(partOf(jwt), 'base64url').toString()).iss);
  const marks = resolved.trustMarks.map(({ issuer }) => `mark by ${names(server, [issuer])}`);
  return [`resolved over ${names(server, [...new Set(issuers)])}`, ...marks, ...leftOut(resolved.refusedTrustMarks)];
}

function leftOut(refused: readonly RefusedTrustMark[]): string[] {
  const alike = Map.groupBy(refused, ({ reason, section }) => `${reason} (§${section})`);
  const lines = refused.map(({ reason, section, at }) => {
    const end = `${reason} (§${section})`;
    const count = alike.get(end)?.length ?? 0;
    return count < MANY ? `left out: ${end} at ${at}` : `${count} left out: ${end}`;
  });
  return [...new Set(lines)];
}

function partOf(jwt: string): string {
  return jwt.split('.')[1] ?? '';
}

function attemptLines(server: FederationServer, attempts: readonly Attempt[]): string[] {
  const counts = new Map<string, number>();
  for (const attempt of attempts) counts.set(endOf(attempt), (counts.get(endOf(attempt)) ?? 0) + 1);
  const lines = attempts.map((attempt) => {
    const count = counts.get(endOf(attempt)) ?? 0;
    return `${count < MANY ? names(server, attempt.chain) : `${count} ways`}: ${endOf(attempt)}`;
  });
  return [...new Set(lines)];
}

function endOf({ reason, section, at }: Attempt): string {
  return `${reason} (§${section})${at === '' ? '' : ` at ${at}`}`;
}
