/** All that an authority says about a subordinate, wherever it says it. */
import type { FederationEndpoint } from '../../src/issuance/authority-endpoints.ts';
import { claimsOf, refusalIn } from './answers.ts';

/** Asks an endpoint of the authority; the status of a Trust Mark is asked by POST. */
export type AskEndpoint = (endpoint: FederationEndpoint, parameters: Record<string, string>) => Promise<Response>;

export interface SurveyedSubordinate {
  /** Identifier of the authority. */
  authority: string;
  sub: string;
  trustMarkType: string;
  /** The Trust Mark of this type that the subordinate was given. */
  trustMark: string;
}

/** What the endpoints say, all asked at once. Statuses come with the error code, if there is one. */
export interface SubordinateSurfaces {
  /** In each: whether the subordinate is named. `statements` is the extended list with Subordinate Statements. */
  list: boolean;
  extendedList: boolean;
  statements: boolean;
  collection: boolean;
  bearers: boolean;
  fetch: string;
  mark: string;
  markStatus: unknown;
  resolve: string;
  lastEvent: unknown;
}

export async function subordinateSurfaces(
  ask: AskEndpoint,
  { authority, sub, trustMarkType: trust_mark_type, trustMark }: SurveyedSubordinate,
): Promise<SubordinateSurfaces> {
  const names = async (endpoint: FederationEndpoint, parameters: Record<string, string> = {}) => {
    const answer: unknown = await (await ask(endpoint, parameters)).json();
    return JSON.stringify(answer).includes(JSON.stringify(sub));
  };
  const status = async (endpoint: FederationEndpoint, parameters: Record<string, string>) => {
    const answer = await ask(endpoint, parameters);
    return answer.status === 200 ? '200' : await refusalIn(answer);
  };
  const claim = async (endpoint: FederationEndpoint, parameters: Record<string, string>, name: string) => {
    const answer = await ask(endpoint, parameters);
    return answer.status === 200 ? claimsOf(await answer.text())[name] : await refusalIn(answer);
  };
  const [list, extendedList, statements, collection, bearers, fetch, mark, markStatus, resolve, events] =
    await Promise.all([
      names('list'),
      names('extendedList'),
      names('extendedList', { claims: 'subordinate_statement' }),
      names('collection'),
      names('trustMarkList', { trust_mark_type }),
      status('fetch', { sub }),
      status('trustMark', { trust_mark_type, sub }),
      claim('trustMarkStatus', { trust_mark: trustMark }, 'status'),
      status('resolve', { sub, trust_anchor: authority }),
      claim('subordinateEvents', { sub }, 'federation_registration_events'),
    ]);
  return {
    ...{ list, extendedList, statements, collection, bearers, fetch, mark, markStatus, resolve },
    lastEvent: Array.isArray(events) ? events.at(-1).event : events,
  };
}

/** What all of them say after a change of the subordinate's state. */
export function expectedSurfaces(isActive: boolean, lastEvent: string): SubordinateSurfaces {
  const listed = { list: isActive, extendedList: isActive, statements: isActive, collection: isActive };
  const good = { fetch: '200', mark: '200', markStatus: 'active', resolve: '200' };
  const bad = {
    fetch: '404 not_found',
    mark: '404 not_found',
    markStatus: 'revoked',
    resolve: '400 invalid_trust_chain',
  };
  return { ...listed, bearers: isActive, ...(isActive ? good : bad), lastEvent };
}

/** A life of a subordinate, with the event that tells of each change. */
export const CHANGES_OF_STATE = [
  { transition: 'suspend', isActive: false, lastEvent: 'suspension' },
  { transition: 'reinstate', isActive: true, lastEvent: 'reinstatement' },
  { transition: 'revoke', isActive: false, lastEvent: 'revocation' },
] as const;
