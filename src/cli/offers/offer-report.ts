/** How authorization servers and APIs are shown. */
import type { Report } from '../report.ts';
import { momentText, shortMoment } from '../times.ts';
import type { ApiResourceRecord, AuthorizationServerRecord } from './offer-records.ts';

export const SERVER_COLUMNS = ['ID', 'ISSUER', 'STATE', 'ENTITY', 'RETIRES'];

export function serverRow({ id, issuer, state, entityState, retiresAt }: AuthorizationServerRecord): string[] {
  return [id, issuer, state, entityState, retiresAt === null ? '-' : shortMoment(retiresAt)];
}

export function describeServer(report: Report, server: AuthorizationServerRecord): void {
  report.heading(server.issuer);
  report.facts([
    ['id', server.id],
    ...offerFacts(server),
    ['entity', `${server.entityId}, ${server.entityState}`],
    ['authority', server.authorityId],
    ['version', String(server.version)],
  ]);
}

export const API_COLUMNS = ['ID', 'FAMILY', 'VERSION', 'STATE', 'CERTIFIED', 'RETIRES', 'AUTHORIZATION SERVER'];

export function apiRow(api: ApiResourceRecord): string[] {
  const { id, family, apiVersion, state, retiresAt, authorizationServerId } = api;
  const end = retiresAt === null ? '-' : shortMoment(retiresAt);
  return [id, family, apiVersion, state, certificationText(api), end, authorizationServerId];
}

export function describeApi(report: Report, api: ApiResourceRecord): void {
  const { uri, from, to } = api.certification;
  report.heading(`${api.family} ${api.apiVersion}`);
  report.facts([
    ['id', api.id],
    ...offerFacts(api),
    ...api.endpoints.map((endpoint) => ['endpoint', endpoint] as const),
    ...api.requiredRoles.map((role) => ['required role', role] as const),
    ['audience', api.audience ?? undefined],
    ['certification', certificationText(api)],
    ['read it at', uri ?? undefined],
    ['certified from', from === null ? undefined : momentText(from)],
    ['certified until', to === null ? undefined : momentText(to)],
    ['authorization server', api.authorizationServerId],
    ['entity', api.entityState],
    ['authority', api.authorityId],
    ['version', String(api.version)],
  ]);
}

function certificationText({ certification: { status }, isCertified }: ApiResourceRecord): string {
  return isCertified || !status.endsWith('certified') ? status : `${status}, not now`;
}

type Fact = readonly [string, string | undefined];

function offerFacts(offer: AuthorizationServerRecord | ApiResourceRecord): Fact[] {
  const { state, deprecatedAt, retiresAt, supersededBy, removedAt } = offer;
  return [
    ['state', state],
    ['deprecated', deprecatedAt === null ? undefined : momentText(deprecatedAt)],
    ['retires', retiresAt === null ? undefined : momentText(retiresAt)],
    ['superseded by', supersededBy ?? undefined],
    ['removed', removedAt === null ? undefined : momentText(removedAt)],
  ];
}
