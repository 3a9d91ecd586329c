/** A Trust Mark: granted by the Intermediate, shown by its bearer, verified by whoever resolves that, withdrawn. */
import { readFile, writeFile } from 'node:fs/promises';
import { decodeJwt } from 'jose';
import { authoritySchema } from '../../../src/cli/api-records.ts';
import {
  type TrustMarkRecord,
  trustMarkSchema,
  trustMarkTypeSchema,
} from '../../../src/cli/trust-mark/trust-mark-records.ts';
import { anchorOf } from '../deployment.ts';
import {
  askResolve,
  askTrustMark,
  askTrustMarkList,
  askTrustMarkStatus,
  type KnownAuthority,
  keysIn,
  subordinateStatement,
} from '../federation-client.ts';
import { short } from '../narrator.ts';
import { resolveAlone } from '../resolve-alone.ts';
import type { Stage } from '../stage.ts';
import { StoryError } from '../story.ts';
import { refuseAll, tellBefore, type Witness, watchRefusals } from '../witnesses.ts';
import { TRUST_MARK } from './cast.ts';
import type { Federation } from './federation.ts';
import type { Participant } from './partners.ts';

export interface GrantedMark {
  record: TrustMarkRecord;
  jwt: string;
}

/** Lets the Intermediate issue marks of a type, and grants one. */
export async function grantTrustMark(
  { narrator }: Stage,
  { api, trustAnchor, intermediate }: Federation,
  bearer: Participant,
): Promise<GrantedMark> {
  const { name, path, eligibility, lifetimeSeconds } = TRUST_MARK;
  const trustMarkType = intermediate.entityIdentifier + path;
  const type = await narrator.step(
    () => {
      const body = { authorityId: intermediate.id, trustMarkType, name, lifetimeSeconds, eligibility };
      return api.send({ method: 'POST', path: 'trust-mark-types', body }, trustMarkTypeSchema);
    },
    () => `${intermediate.name} issues marks "${name}"`,
    'POST /api/v1/trust-mark-types',
  );
  await narrator.step(
    () => {
      const body = { trustMarkIssuers: { [trustMarkType]: [intermediate.entityIdentifier] } };
      const { id, version } = trustAnchor;
      return api.send({ method: 'PATCH', path: `authorities/${id}`, body, ifMatch: version }, authoritySchema);
    },
    () => `${trustAnchor.name} lists it as the issuer of that type`,
    'PATCH /api/v1/authorities/{id}',
  );
  const record = await narrator.step(
    () => {
      const body = { typeId: type.id, subject: bearer.entity };
      return api.send({ method: 'POST', path: 'trust-marks', body }, trustMarkSchema);
    },
    ({ state }) => `granted to ${short(bearer.entity)}: ${state}`,
    'POST /api/v1/trust-marks',
  );
  const { jwt, says } = await narrator.step(
    () => askTrustMark(intermediate, trustMarkType, bearer.entity),
    ({ says: answer }) => `the ${bearer.role} fetches it: ${answer}`,
    'GET …/federation/trust-mark?…',
  );
  if (jwt === undefined) throw new StoryError(`the mark that was granted is not there: ${says}`);
  return { record, jwt };
}

/** The bearer shows the mark in its Entity Configuration. */
export async function showTrustMark(
  stage: Stage,
  { entity, folder, role }: Participant,
  { record: { trustMarkType }, jwt }: GrantedMark,
): Promise<void> {
  const file = stage.file(folder, 'configuration.json');
  const marks = [{ trust_mark_type: trustMarkType, trust_mark: jwt }];
  await stage.narrator.step(
    async () => {
      const settings: object = JSON.parse(await readFile(file, 'utf8'));
      const additionalClaims = { trust_marks: marks };
      await writeFile(file, JSON.stringify({ ...settings, additionalClaims }, null, 2));
      const response = await fetch(`${entity}/.well-known/openid-federation`);
      const shown = decodeJwt(await response.text())['trust_marks'];
      if (JSON.stringify(shown) !== JSON.stringify(marks)) throw new StoryError(`${entity} does not show its mark`);
    },
    () => `the ${role} shows it in its own configuration`,
    `$EDITOR ${folder}/configuration.json`,
  );
}

/** Withdraws the mark. @returns from that answer until the last endpoint told so, in milliseconds; null if one did not */
export async function withdrawTrustMark(
  stage: Stage,
  federation: Federation,
  bearer: Participant,
  mark: GrantedMark,
): Promise<number | null> {
  const { narrator } = stage;
  const { id, version, trustMarkType } = mark.record;
  const witnesses = await witnessesOf(federation, bearer, mark);
  const wasVouchedFor = await tellBefore(stage, witnesses);
  const withdrawnAt = await narrator.step(
    async () => {
      const body = { reason: 'audit 4712: identities were not checked' };
      const path = `trust-marks/${id}/withdraw`;
      await federation.api.send({ method: 'POST', path, body, ifMatch: version }, trustMarkSchema);
      return performance.now();
    },
    () => `"${TRUST_MARK.name}" is withdrawn from ${short(bearer.entity)}`,
    'POST /api/v1/trust-marks/{id}/withdraw',
  );
  const refusedAfterMs = await watchRefusals(stage, witnesses, withdrawnAt);
  const own = await narrator.step(
    () => resolveAlone(stage, federation, bearer.entity),
    ({ resolved, markRefusals = [], says }) =>
      resolved === undefined ? says : `alone, without it: ${markRefusals.join(', ')}`,
    'holdfast resolve …',
  );
  const { resolved } = await askResolve(anchorOf(federation), bearer.entity);
  narrator.tell(`the ${bearer.role} still shows the mark; it belongs to the federation as before, without it`);
  const isOtherwiseAsBefore = resolved !== undefined && own.resolved?.trustMarks.includes(trustMarkType) === false;
  const isRefusedByItsIssuer = own.markRefusals?.includes('trust_mark_status_not_active') === true;
  const isShown = wasVouchedFor && (await refuseAll(witnesses)) && isOtherwiseAsBefore && isRefusedByItsIssuer;
  return isShown ? refusedAfterMs : null;
}

async function witnessesOf(
  federation: Federation,
  { entity }: Participant,
  { record: { trustMarkType }, jwt }: GrantedMark,
): Promise<Witness[]> {
  const { intermediate } = federation;
  const anchor = anchorOf(federation);
  const keys = keysIn(await subordinateStatement(anchor, intermediate.entityIdentifier));
  const issuer: KnownAuthority = { ...intermediate, keys };
  const askResolver: Witness['ask'] = async () => {
    const { resolved, says } = await askResolve(anchor, entity);
    const isVouchedFor = resolved?.trustMarks.includes(trustMarkType) === true;
    return { isVouchedFor, says: resolved === undefined ? says : `200, ${isVouchedFor ? 'with' : 'without'} the mark` };
  };
  return [
    { endpoint: 'mark status', ask: () => askTrustMarkStatus(issuer, jwt) },
    { endpoint: 'mark', ask: () => askTrustMark(issuer, trustMarkType, entity) },
    { endpoint: 'mark list', ask: () => askTrustMarkList(issuer, trustMarkType, entity) },
    { endpoint: 'resolve', ask: askResolver },
  ];
}
