/** Enforcement points as the API gives them, how one is found, and how they are shown. */
import { z } from 'zod';
import { isRecordId } from '../../registry/record-id.ts';
import type { ApiClient } from '../api-client.ts';
import { only } from '../find-record.ts';
import type { Report } from '../report.ts';
import { momentText, shortMoment } from '../times.ts';

export const enforcementPointSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  name: z.string(),
  mode: z.string(),
  environment: z.string(),
  apiId: z.string().nullable(),
  maxStalenessSeconds: z.number(),
  isTokenRequired: z.boolean(),
  certificateHeader: z.string(),
  clientX5tS256: z.string().nullable(),
  allowSample: z.number(),
  canaryUrl: z.string().nullable(),
  hasToken: z.boolean(),
  state: z.string(),
  stateReason: z.string().nullable(),
  lastSeenAt: z.string().nullable(),
  lastSeq: z.number().nullable(),
  lastCanaryTrial: z.looseObject({ outcome: z.string(), detail: z.string(), triedAt: z.string() }).nullable(),
  version: z.number(),
});

export type EnforcementPointRecord = z.infer<typeof enforcementPointSchema>;

export const enforcementPointWithTokenSchema = enforcementPointSchema.extend({ token: z.string().nullable() });

export const POINT_ARGUMENT = 'id, or name if unique';

/** @throws CommandError refused, usage */
export async function findEnforcementPoint(client: ApiClient, given: string): Promise<EnforcementPointRecord> {
  const path = 'enforcement-points';
  if (isRecordId(given)) return await client.send({ method: 'GET', path: `${path}/${given}` }, enforcementPointSchema);
  const { items } = await client.list(path, { name: given }, enforcementPointSchema, {
    limit: Number.POSITIVE_INFINITY,
  });
  return only(items, 'enforcement-point', given);
}

export const POINT_COLUMNS = ['ID', 'NAME', 'MODE', 'ENVIRONMENT', 'STATE', 'LAST SEEN'];

export function pointRow({ id, name, mode, environment, state, lastSeenAt }: EnforcementPointRecord): string[] {
  return [id, name, mode, environment, state, lastSeenAt === null ? 'never' : shortMoment(lastSeenAt)];
}

export function describePoint(report: Report, point: EnforcementPointRecord): void {
  const { lastSeenAt, lastSeq, clientX5tS256, lastCanaryTrial } = point;
  report.heading(point.name);
  report.facts([
    ['id', point.id],
    ['authority', point.authorityId],
    ['lets in', `${point.mode} ${point.environment}`],
    ['API', point.apiId ?? 'whichever a request names'],
    ['state', point.stateReason === null ? point.state : `${point.state}: ${point.stateReason}`],
    ['known by', knownBy(point)],
    ['client certificate', clientX5tS256 ?? undefined],
    ['certificate header', point.certificateHeader],
    ['access token', point.isTokenRequired ? 'required' : 'not required'],
    ['stale after', `${point.maxStalenessSeconds} s`],
    ['allows logged', point.allowSample === 0 ? 'none' : `one in ${point.allowSample}`],
    ['canary', point.canaryUrl ?? undefined],
    ['last knocked', lastCanaryTrial === null ? undefined : trialText(lastCanaryTrial)],
    ['last seen', lastSeenAt === null ? 'never' : `${momentText(lastSeenAt)}, at seq ${lastSeq}`],
    ['version', String(point.version)],
  ]);
}

function trialText({ outcome, detail, triedAt }: NonNullable<EnforcementPointRecord['lastCanaryTrial']>): string {
  return `${momentText(triedAt)}: ${outcome === 'admitted' ? 'ALARM, ' : ''}${detail}`;
}

function knownBy({ hasToken, clientX5tS256 }: EnforcementPointRecord): string {
  const ways = [hasToken ? 'its token' : '', clientX5tS256 === null ? '' : 'its certificate'].filter(Boolean);
  return ways.length === 0 ? 'its own socket alone' : ways.join(' and ');
}
