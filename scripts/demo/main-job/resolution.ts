/** How one partner learns what to believe of another: from a resolve endpoint, and from the statements alone. */
import { isDeepStrictEqual } from 'node:util';
import type { Metadata } from '../../../src/federation/metadata/metadata.ts';
import { anchorOf } from '../deployment.ts';
import { askResolve } from '../federation-client.ts';
import { short } from '../narrator.ts';
import { resolveAlone, valueText } from '../resolve-alone.ts';
import type { Stage } from '../stage.ts';
import { policyChanges } from './cast.ts';
import type { Federation } from './federation.ts';
import type { Participant } from './partners.ts';

export interface ResolutionFindings {
  /** Both ways of resolving led to the Trust Anchor, and to the same metadata. */
  isResolved: boolean;
  /** Names of the authorities whose policies changed the metadata; none unless every change is the expected one. */
  policiesApplied: string[];
  /** Types of the Trust Marks that were verified both ways. */
  trustMarks: string[];
}

/** Resolves a subject by the resolve endpoint and by `holdfast resolve`, and shows what the policies did to it. */
export async function resolveTwice(
  stage: Stage,
  federation: Federation,
  subject: Participant,
): Promise<ResolutionFindings> {
  const { narrator } = stage;
  const { resolved: told } = await narrator.step(
    () => askResolve(anchorOf(federation), subject.entity),
    ({ resolved, says }) => (resolved === undefined ? says : 'the Trust Anchor resolves, signed with the pinned key'),
    'GET …/federation/resolve?sub=…',
  );
  const { resolved: found } = await narrator.step(
    () => resolveAlone(stage, federation, subject.entity),
    ({ resolved, says }) => (resolved === undefined ? says : 'resolved alone, from nothing but the pinned key'),
    'holdfast resolve …',
  );
  if (told === undefined || found === undefined) return { isResolved: false, policiesApplied: [], trustMarks: [] };
  const isSame = isDeepStrictEqual(told, found);
  narrator.tell(
    `${isSame ? 'the same twice' : 'TWO RESULTS, not the same'}: ${wayText(found.way, federation, subject)}`,
  );
  for (const type of found.trustMarks) narrator.tell(`it bears the Trust Mark ${short(type)}, verified`);
  narrator.tell('what the policies made of what it publishes:');
  const policiesApplied = showPolicyChanges(stage, subject, found.metadata);
  const { entityIdentifier: anchor } = federation.trustAnchor;
  const expectedWay = [...new Set([subject.entity, subject.superior.entityIdentifier, anchor])];
  const trustMarks = isSame ? found.trustMarks : [];
  return { isResolved: isSame && isDeepStrictEqual(found.way, expectedWay), policiesApplied, trustMarks };
}

/** The entities of a Trust Chain by name. */
export function wayText(way: readonly string[], federation: Federation, subject: Participant): string {
  const { trustAnchor, intermediate } = federation;
  const names = new Map([[subject.entity, subject.role]]);
  for (const { entityIdentifier, name } of [trustAnchor, intermediate]) names.set(entityIdentifier, name);
  return way.map((entity) => names.get(entity) ?? short(entity)).join(' ← ');
}

/** @returns names of the authorities whose policies changed something, if all became what it must */
function showPolicyChanges({ narrator }: Stage, subject: Participant, resolved: Metadata): string[] {
  const { entityType, metadata: published, afterPolicy } = subject;
  const changes = policyChanges(entityType, published, resolved);
  narrator.table(
    changes.map(({ parameter, before, after, by }) => [
      parameter,
      by.join(', '),
      `${valueText(before)} → ${valueText(after)}`,
    ]),
  );
  const observed = Object.fromEntries(changes.map(({ parameter, after }) => [parameter, after]));
  return isDeepStrictEqual(observed, afterPolicy) ? changes.flatMap(({ by }) => by) : [];
}
