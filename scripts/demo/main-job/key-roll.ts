/** The Trust Anchor changes its key, and nobody is cut off: announced, seen, active. @see OIDFED §11.2 */
import { authorityKeySchema } from '../../../src/cli/api-records.ts';
import { readKeys } from '../../../src/cli/authority/keys/read-keys.ts';
import { anchorOf } from '../deployment.ts';
import { askResolve, keysIn, knownConfiguration, statement, subordinateStatement } from '../federation-client.ts';
import { short } from '../narrator.ts';
import { resolveAlone } from '../resolve-alone.ts';
import type { Stage } from '../stage.ts';
import { StoryError } from '../story.ts';
import type { Federation } from './federation.ts';
import type { Participant } from './partners.ts';

export interface KeyRollFindings {
  /** The new key signs, the one before still verifies, and both ways of resolving lead on to the Trust Anchor. */
  isRolled: boolean;
  /** The federation as those know it who have seen the new key. */
  federation: Federation;
}

/** Rolls the key of the Trust Anchor before the eyes of a relying party that pinned the present one. */
export async function rollAnchorKey(
  stage: Stage,
  federation: Federation,
  { subject, relyingParty }: { subject: Participant; relyingParty: Participant },
): Promise<KeyRollFindings> {
  const { narrator } = stage;
  const { trustAnchor, intermediate } = federation;
  const before = await subordinateStatement(anchorOf(federation), intermediate.entityIdentifier);
  const nextKid = await announceKey(stage, federation);
  const learned = await learnKeys(stage, federation, { nextKid, relyingParty });
  await activateKey(stage, federation, nextKid);
  const configuration = await knownConfiguration(anchorOf(learned));
  const present = await subordinateStatement(anchorOf(learned), intermediate.entityIdentifier);
  await statement(before.jwt, keysIn(configuration), [trustAnchor.entityIdentifier, intermediate.entityIdentifier]);
  narrator.tell(`what ${short(before.kid)} signed still verifies with the keys that are published`);
  const told = await narrator.step(
    () => askResolve(anchorOf(learned), subject.entity),
    ({ kid, says }) => (kid === undefined ? says : `the Trust Anchor resolves, signed with ${short(kid)}`),
    'GET …/federation/resolve?sub=…',
  );
  const own = await narrator.step(
    () => resolveAlone(stage, learned, subject.entity),
    ({ resolved, says }) => (resolved === undefined ? short(says) : 'resolved alone, with the keys that it learned'),
    'holdfast resolve …',
  );
  const isSignedAnew = [configuration.kid, present.kid, told.kid].every((kid) => kid === nextKid);
  const isRolled =
    before.kid !== nextKid && isSignedAnew && own.resolved !== undefined && (await isRetired(federation, before.kid));
  return { isRolled, federation: learned };
}

/** @returns the kid of the key that signs next */
async function announceKey({ narrator }: Stage, { api, trustAnchor }: Federation): Promise<string> {
  const { kid } = await narrator.step(
    () => {
      const body = { reason: 'yearly' };
      return api.send({ method: 'POST', path: `authorities/${trustAnchor.id}/keys`, body }, authorityKeySchema);
    },
    (key) => `${short(key.kid)} is ${key.state}; left alone, it signs in ${hoursUntil(key.activateAfter)} hours`,
    'POST /api/v1/authorities/{id}/keys',
  );
  return kid;
}

/** What a relying party does that refreshes the keys of its Trust Anchor: only a pinned key vouches for another. */
async function learnKeys(
  stage: Stage,
  federation: Federation,
  { nextKid, relyingParty }: { nextKid: string; relyingParty: Participant },
): Promise<Federation> {
  const configuration = await stage.narrator.step(
    () => knownConfiguration(anchorOf(federation)),
    ({ kid }) => `the ${relyingParty.role} sees both, signed with ${short(kid)}`,
    'GET …/.well-known/openid-federation',
  );
  const anchorKeys = keysIn(configuration);
  if (!anchorKeys.keys.some(({ kid }) => kid === nextKid))
    throw new StoryError(`${nextKid} is not announced to anybody`);
  const anchorKeysFile = await stage.write('anchor-keys.json', JSON.stringify(anchorKeys, null, 2));
  return { ...federation, anchorKeys, anchorKeysFile };
}

/** Everybody here has seen it, so there is nothing to wait for. */
async function activateKey({ narrator }: Stage, { api, trustAnchor }: Federation, nextKid: string): Promise<void> {
  await narrator.step(
    () => {
      const body = { force: true, reason: 'all partners have seen it' };
      const path = `authorities/${trustAnchor.id}/keys/${nextKid}/activate`;
      return api.send({ method: 'POST', path, body }, authorityKeySchema);
    },
    ({ kid, state }) => `all have seen it, so it need not wait: ${short(kid)} is ${state}`,
    'POST …/keys/{kid}/activate',
  );
  const keys = await readKeys(api, trustAnchor.id);
  narrator.table(keys.map(({ kid, state }) => [short(kid), state]));
}

async function isRetired({ api, trustAnchor }: Federation, kid: string): Promise<boolean> {
  return (await readKeys(api, trustAnchor.id)).some((key) => key.kid === kid && key.state === 'retired');
}

function hoursUntil(moment: string | null): number {
  return moment === null ? 0 : Math.round((Date.parse(moment) - Date.now()) / 3_600_000);
}
