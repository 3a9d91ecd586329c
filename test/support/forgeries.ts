/** Statements forged in one respect, published by an Intermediate `evil` over real HTTP, with a good superior beside it. */
import type { Claims, EntitySettings } from './federation.ts';
import type { FederationServer } from './federation-server.ts';
import { expectOutcome } from './hostile-federation.ts';
import type { Tampering } from './keys.ts';

/** Which statement is forged: what the Intermediate `evil` says about itself, what it says about `op`, or `anchor` about it. */
export type Forged = 'configuration' | 'statement' | 'appointment';

export interface Forgery {
  title: string;
  forged: Forged;
  /** How it departs from the legal one, or the whole JWT. */
  with: Tampering | ((server: FederationServer) => Promise<Tampering | string>);
  /** Reason, section and place inside the forged statement; or the whole line of an attempt that ends elsewhere. */
  refused: string;
}

/** Asserts that the forgery is refused alone, and does no harm beside a good superior. */
export async function expectRefused(forgery: Forgery): Promise<void> {
  const tamper = (server: FederationServer): Promise<void> => forge(server, forgery);
  await expectOutcome({
    title: forgery.title,
    entities: entitiesWith(['evil']),
    tamper,
    // Bad metadata is told apart, whoever publishes it.
    outcome: [forgery.refused.startsWith('metadata') ? 'invalid_metadata' : 'invalid_trust_chain', attemptAt(forgery)],
  });
  await expectOutcome({
    title: forgery.title,
    entities: entitiesWith(['evil', 'good']),
    tamper,
    outcome: ['resolved over op good anchor'],
  });
}

export function claim(title: string, forged: Forged, claims: Claims, refused: string): Forgery {
  return { title, forged, with: { claims }, refused };
}

export function header(title: string, parameters: Claims, refused: string): Forgery {
  return { title, forged: 'statement', with: { header: parameters }, refused };
}

export function entitiesWith(superiors: string[]): Record<string, EntitySettings> {
  return {
    anchor: {},
    evil: { superiors: ['anchor'] },
    good: { superiors: ['anchor'] },
    other: { superiors: ['evil'] },
    op: { superiors },
  };
}

/** Publishes the forged statement in place of the legal one. */
export async function forge(server: FederationServer, { forged, with: forging }: Forgery): Promise<void> {
  const { federation } = server;
  const made = typeof forging === 'function' ? await forging(server) : forging;
  switch (forged) {
    case 'configuration':
      return publish(
        server.configurationUrl('evil'),
        typeof made === 'string' ? made : federation.configuration('evil', made),
      );
    case 'statement':
      return publish(
        server.fetchUrl('evil', 'op'),
        typeof made === 'string' ? made : federation.subordinateStatement('evil', 'op', made),
      );
    case 'appointment':
      return publish(
        server.fetchUrl('anchor', 'evil'),
        typeof made === 'string' ? made : federation.subordinateStatement('anchor', 'evil', made),
      );
  }

  async function publish(url: string, jwt: string | Promise<string>): Promise<void> {
    server.override(url, { body: await jwt });
  }
}

/** The line of the attempt, which ends at the forged statement unless it says itself where. */
function attemptAt({ forged, refused }: Forgery): string {
  if (refused.startsWith('op ')) return refused;
  const [, reason, inside] = /^(.+\))(.*)$/.exec(refused) ?? [];
  const way = forged === 'appointment' ? 'op evil anchor' : 'op evil';
  return `${way}: ${reason} at ${forged === 'configuration' ? 'Entity Configuration' : 'Subordinate Statement'}${inside}`;
}
