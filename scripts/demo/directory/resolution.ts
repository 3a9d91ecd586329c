/** What others get to see: the metadata of the partner as the policy of its role shaped it. */
import { isDeepStrictEqual } from 'node:util';
import { anchorOf } from '../deployment.ts';
import { askResolve, publishedMetadata } from '../federation-client.ts';
import { resolveAlone, valueText } from '../resolve-alone.ts';
import type { Stage } from '../stage.ts';
import { PARTNER, ROLE } from './cast.ts';
import type { Partner } from './partner.ts';
import type { Directory } from './staff.ts';

/** @returns whether both ways of resolving give what the policy of the role makes of what the partner publishes */
export async function resolvePartner(stage: Stage, directory: Directory, { entity }: Partner): Promise<boolean> {
  const { narrator } = stage;
  narrator.scene(
    'The role shapes what others see',
    `The policy of ${ROLE.name} is part of the statement about whoever holds the role; the authority itself has none.`,
  );
  const { resolved: told } = await narrator.step(
    () => askResolve(anchorOf(directory), entity),
    ({ resolved, says }) => (resolved === undefined ? says : 'the Trust Anchor resolves, signed with the pinned key'),
    'GET …/federation/resolve?sub=…',
  );
  const { resolved: found } = await narrator.step(
    () => resolveAlone(stage, directory, entity),
    ({ resolved, says }) => (resolved === undefined ? says : 'resolved alone, from nothing but the pinned key'),
    'holdfast resolve …',
  );
  const published = (await publishedMetadata(entity))[PARTNER.entityType] ?? {};
  const shaped = found?.metadata[PARTNER.entityType] ?? {};
  const parameters = [...new Set([...Object.keys(published), ...Object.keys(shaped)])];
  const changed = parameters.filter((parameter) => !isDeepStrictEqual(published[parameter], shaped[parameter]));
  narrator.table(changed.map((name) => [name, `${valueText(published[name])} → ${valueText(shaped[name])}`]));
  const observed = Object.fromEntries(changed.map((parameter) => [parameter, shaped[parameter]]));
  return isDeepStrictEqual(told, found) && isDeepStrictEqual(observed, PARTNER.afterPolicy);
}
