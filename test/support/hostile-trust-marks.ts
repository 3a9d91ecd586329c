/** Federations in which one Trust Mark does not count, beside one that does. */
import type { EntitySettings } from './federation.ts';
import type { FederationServer } from './federation-server.ts';
import { expectOutcome, type HostileCase } from './hostile-federation.ts';
import { type Tampering, type TestKey, testKey } from './keys.ts';
import { AUDITED, bear, entry, MEMBER, type Recognition, recognise, statusMetadata, trustMark } from './trust-marks.ts';

/** `good` issues the mark that stands beside every bad one, `issuer` the bad one. */
export const ENTITIES: Record<string, EntitySettings> = {
  anchor: {},
  good: { superiors: ['anchor'] },
  issuer: { superiors: ['anchor'] },
  owner: {},
  op: { superiors: ['anchor'] },
};
/** The same, with an issuer that answers for the status of its marks. */
export const ASKED = { ...ENTITIES, issuer: { superiors: ['anchor'], metadata: statusMetadata } };
export const RECOGNISED: Recognition = {
  issuers: { [MEMBER]: ['good', 'issuer'], [AUDITED]: ['issuer'] },
  owners: { [AUDITED]: 'owner' },
};
/** Enough for good answers on a busy machine, and little to wait for where none comes. */
export const TIMEOUT_MS = 900;
/** Where the first mark of an Entity Configuration stands. */
export const FIRST = '/trust_marks/0/trust_mark';

/** A mark that does not count, or what keeps it from counting. */
export interface BadMark {
  title: string;
  /** Reason, section and place within the mark. */
  refused: string;
  /** What is tampered with in a mark by `issuer`. */
  tampering?: Tampering | (() => Promise<Tampering>);
  /** The mark, where it is something else. */
  mark?: (server: FederationServer) => Promise<string>;
  type?: string;
  entities?: Record<string, EntitySettings>;
  recognised?: Recognition;
  tamper?: (server: FederationServer) => void | Promise<void>;
  limits?: HostileCase['limits'];
}

/** The chain stands, the mark beside it counts, this one is left out. */
export async function expectLeftOut(bad: BadMark): Promise<void> {
  const { title, type = MEMBER, entities = ENTITIES, recognised = RECOGNISED, limits } = bad;
  const [refused, ...place] = bad.refused.split(' at ');
  await expectOutcome({
    title,
    entities,
    limits,
    tamper: async (server) => {
      recognise(server.federation, recognised);
      const { tampering } = bad;
      const changes = typeof tampering === 'function' ? await tampering() : tampering;
      const jwt = await (bad.mark?.(server) ?? trustMark(server.federation, 'issuer', 'op', type, changes));
      bear(server.federation, 'op', entry(jwt, type), entry(await trustMark(server.federation, 'good', 'op')));
      await bad.tamper?.(server);
    },
    outcome: ['resolved over op anchor', 'mark by good', `left out: ${refused} at ${[FIRST, ...place].join(' ')}`],
  });
}

/** A key that nobody in the federation has. */
export const stranger = (): Promise<TestKey> => testKey('ES256', 90);
/** Cuts the signature off. */
export const unsigned = { signature: () => new Uint8Array() };
