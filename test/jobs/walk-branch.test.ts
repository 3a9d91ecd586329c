import { describe, expect, it } from 'vitest';
import { FederationError, type Reason } from '../../src/federation/errors.ts';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import { attemptOf } from '../../src/federation/trust-chain/attempt.ts';
import { type BranchWalk, type BranchWalkOptions, walkBranch } from '../../src/jobs/walk-branch.ts';
import type { Resolution } from '../../src/resolver/resolution.ts';

const SUPERIOR = 'https://anchor.example' as EntityIdentifier;
const BRANCH = 'https://branch.example' as EntityIdentifier;

const id = (name: string | number) => `https://${name}.below.example` as EntityIdentifier;
const jwt = (claims: object) =>
  ['{}', JSON.stringify(claims), '']
    .map((part) => btoa(part))
    .join('.')
    .replace(/=/g, '');

/** Entities with what they list; those that are refused have a reason instead. */
type Forest = Record<string, EntityIdentifier[] | Reason>;

/** Walks a forest in which everybody that is not refused has a valid chain through `through`. */
async function walk(
  forest: (entity: EntityIdentifier) => EntityIdentifier[] | Reason,
  { through = BRANCH, signal = new AbortController().signal, types = [] as readonly string[] } = {},
): Promise<BranchWalk & { asked: EntityIdentifier[] }> {
  const asked: EntityIdentifier[] = [];
  const options: BranchWalkOptions = {
    resolver: {
      resolve: async ({ subject, onRequest }) => {
        asked.push(subject);
        const below = forest(subject);
        if (typeof below === 'string') {
          return { attempts: [attemptOf([subject], new FederationError(below, 'refused'))], requests: 1 };
        }
        onRequest?.(subject, false);
        const trustChain = [jwt({ iss: subject, sub: subject }), jwt({ iss: SUPERIOR, sub: through })];
        const played = Object.fromEntries(types.map((type) => [type, {}]));
        const metadata = { federation_entity: { federation_list_endpoint: `${subject}/list` }, ...played };
        const resolved: Partial<Resolution> = { subject, metadata, trustChain, expiresAt: 1 };
        return { resolved: resolved as Resolution };
      },
    },
    listSubordinates: async (endpoint) => forest(endpoint.replace(/\/list$/, '') as EntityIdentifier) as never,
    isOwn: (identifier) => identifier === SUPERIOR,
  };
  const branch = { branch: BRANCH, superior: SUPERIOR, trustAnchors: new Map([[SUPERIOR, { keys: [] }]]), signal };
  return { ...(await walkBranch(options, branch)), asked };
}

const found = ({ found: entities }: BranchWalk) => entities.map(({ entityIdentifier }) => entityIdentifier);

describe('a walk below an Intermediate elsewhere', () => {
  it('goes down all levels, once to each, and to none of our own authorities', async () => {
    const forest: Forest = {
      [BRANCH]: [id('a'), id('b'), SUPERIOR, BRANCH],
      [id('a')]: [id('c'), id('b')],
      [id('b')]: [],
      [id('c')]: [id('a'), BRANCH],
    };
    const walked = await walk((entity) => forest[entity] ?? 'entity_not_found');
    expect(found(walked)).toEqual([id('a'), id('b'), id('c')]);
    expect(walked.asked).toEqual([BRANCH, id('a'), id('b'), id('c')]);
    expect([walked.gone, walked.hasTrouble]).toEqual(['rest', false]);
  });

  it('finds nobody whose chain goes another way', async () => {
    const walked = await walk((entity) => (entity === BRANCH ? [id('a')] : []), { through: id('other') });
    expect([walked.found, walked.gone]).toEqual([[], 'rest']);
  });

  it('looks at no more than a thousand entities, and takes nobody away whom it did not look at', async () => {
    const many = Array.from({ length: 5000 }, (_, index) => id(index));
    const walked = await walk((entity) => (entity === BRANCH ? many : []));
    expect(new Set(found(walked))).toEqual(new Set(many.slice(0, 1000)));
    expect([walked.gone, walked.hasTrouble]).toEqual([[], false]);
  });

  it('keeps fifty Entity Types of each, however many they are', async () => {
    const types = Array.from({ length: 3000 }, (_, index) => `type_${index}`);
    const walked = await walk((entity) => (entity === BRANCH ? [id('a')] : []), { types });
    expect(walked.found.map(({ entityTypes }) => entityTypes.length)).toEqual([50]);
  });

  it('asks for no more than a few hundred that are not there', async () => {
    const many = Array.from({ length: 900 }, (_, index) => id(index));
    const walked = await walk((entity) => (entity === BRANCH ? many : 'entity_not_found'));
    expect(walked.asked.length).toBeLessThan(300);
    expect(new Set(walked.gone)).toEqual(new Set(walked.asked.slice(1)));
  });

  it('goes no deeper than chains are', async () => {
    let depth = 0;
    const walked = await walk(() => [id(`x${depth++}`)]);
    expect(walked.found.length).toBeLessThan(10);
    expect(walked.gone).toEqual([]);
  });

  it('takes nobody away whom trouble keeps from being seen', async () => {
    const forest: Forest = { [BRANCH]: [id('a'), id('b'), id('c')], [id('a')]: [], [id('b')]: 'timed_out' };
    const walked = await walk((entity) => forest[entity] ?? 'entity_not_found');
    expect([found(walked), walked.gone, walked.hasTrouble]).toEqual([[id('a')], [id('c')], true]);
  });

  it('ends early with what it has, when it is told to', async () => {
    const stop = new AbortController();
    const walked = await walk(
      (entity) => {
        if (entity === id('a')) stop.abort();
        return entity === BRANCH ? [id('a')] : [id('b')];
      },
      { signal: stop.signal },
    );
    expect([found(walked), walked.gone, walked.hasTrouble]).toEqual([[id('a')], [], true]);
  });
});
