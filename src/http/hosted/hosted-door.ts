/** The door for hosted entities: on their host names nothing else is, no page, no API, nothing about our health. */
import { randomUUID } from 'node:crypto';
import { HOSTING_HEADER } from '../../enrolment/host-control.ts';
import type { Clock } from '../../federation/time.ts';
import type { HostedConfigurations, HostedPlace } from '../../issuance/hosted-configurations.ts';
import type { HostKind } from '../../registry/hosting/hosting-hosts.ts';
import type { FederationDoor } from '../create-app.ts';
import type { Freshness } from '../federation/federation-door.ts';
import { preflightAnswer, publicAnswer } from '../federation/public-answer.ts';
import { toFederationErrorResponse } from '../federation-error-response.ts';
import { isOutage } from '../outage.ts';

export interface HostedDependencies {
  configurations: Pick<HostedConfigurations, 'at'>;
  /** What a host name, without port, is to us; undefined when no hosted entity is there. */
  kindOfHost: (hostname: string) => HostKind | undefined;
  freshness: Freshness;
  clock: Clock;
  logError: (error: unknown, requestId: string) => void;
}

const METHODS = ['GET', 'HEAD', 'OPTIONS'];
const CONFIGURATION_PATH = '/.well-known/openid-federation';

/** @returns a function that answers every request to a host of hosted entities, and undefined for any other */
export function createHostedDoor(dependencies: HostedDependencies): FederationDoor {
  return (request) => {
    const { hostname, host, pathname } = new URL(request.url);
    const kind = dependencies.kindOfHost(plain(hostname));
    if (kind === undefined || (kind === 'awaited' && !pathname.endsWith(CONFIGURATION_PATH))) return undefined;
    if (!pathname.endsWith(CONFIGURATION_PATH) || !METHODS.includes(request.method)) return nothingHere();
    if (request.method === 'OPTIONS') return preflightAnswer(METHODS);
    const path = pathname.slice(0, -CONFIGURATION_PATH.length);
    return answer(
      request,
      [host, host.replace(DEFAULT_PORT, '')].map((place) => place + path),
      kind,
      dependencies,
    );
  };
}

/** A full name may end with a dot; it is the same host, and must not be a way around the others. */
function plain(hostname: string): string {
  return hostname.replace(/\.$/, '');
}

/** Behind a proxy we do not know the scheme, and so not which of the two a client might as well have left out. */
const DEFAULT_PORT = /:(?:80|443)$/;

async function answer(
  request: Request,
  locations: readonly string[],
  kind: HostKind,
  { configurations, freshness, clock, logError }: HostedDependencies,
): Promise<Response> {
  try {
    const place = await currentPlace(new Set(locations), configurations, freshness);
    const response = place?.answer === undefined ? nothingHere() : publicAnswer(request, place.answer, clock.now());
    if (place !== undefined && kind !== 'ours') response.headers.set(HOSTING_HEADER, place.entityId);
    return response;
  } catch (error) {
    if (!isOutage(error)) logError(error, randomUUID());
    return toFederationErrorResponse(error);
  }
}

/** What took its time counts only if our state is known to be current at its end, too; if not, it is read anew. */
async function currentPlace(
  locations: ReadonlySet<string>,
  configurations: HostedDependencies['configurations'],
  freshness: Freshness,
): Promise<HostedPlace | undefined> {
  for (;;) {
    await freshness.ensureCurrent();
    let found: HostedPlace | undefined;
    for (const location of locations) found ??= await configurations.at(location);
    if (freshness.isCurrent()) return found;
  }
}

/** The same for whatever is not there, never was or is suspended. */
function nothingHere(): Response {
  const headers = {
    'cache-control': 'no-store',
    'access-control-allow-origin': '*',
    'x-content-type-options': 'nosniff',
  };
  return new Response(null, { status: 404, headers });
}
