/** Whether a resolution that knows nothing waits for more than it must, one answer after the other. @see OIDFED §10.1 */
import { createResolver } from '../../../src/resolver/library.ts';
import type { Bench } from '../bench.ts';
import type { EntityPlan } from '../federation/federation-plan.ts';
import { RemoteFederation } from '../federation/remote-federation.ts';
import type { Figure } from '../figure.ts';
import { median, readable } from '../rounds.ts';

const DELAY_MS = 20;
/** The configurations of the subject, of each Intermediate and of the Trust Anchor, and the anchor's statement. */
const ROUND_TRIPS_BESIDE_INTERMEDIATES = 3;
const SUPERIORS_SIDE_BY_SIDE = 6;
const WARM_UP_RESOLUTIONS = 10;

export const resolveColdPath: Figure = {
  name: 'resolve_cold_path',
  summary: `time of a resolution that knows nothing, every answer ${DELAY_MS} ms late, over that of the round trips it needs; the worst of four shapes`,
  unit: 'ratio',
  target: 1.25,
  better: 'lower',
  async measure(bench) {
    await using federations = new AsyncDisposableStack();
    const shapes: Shape[] = [];
    for (const { name, intermediates, entities } of SHAPES) {
      const plan = { entities, isServerPerEntity: true, delayMs: DELAY_MS };
      const federation = federations.use(await RemoteFederation.start(plan));
      const unavoidableMs = (intermediates + ROUND_TRIPS_BESIDE_INTERMEDIATES) * DELAY_MS;
      shapes.push({ name, federation, unavoidableMs, ratios: [] });
    }
    const worst = await measureRounds(bench, shapes);
    return {
      value: median(worst),
      spread: [Math.min(...worst), Math.max(...worst)],
      rounds: worst.length,
      details: Object.fromEntries(shapes.map(({ name, ratios }) => [name, median(ratios)])),
    };
  },
};

interface Shape {
  name: string;
  federation: RemoteFederation;
  unavoidableMs: number;
  /** Of each round. */
  ratios: number[];
}

const SHAPES = [
  ...[1, 3, 6].map((intermediates) => ({
    name: `intermediates${intermediates}`,
    intermediates,
    entities: oneAboveTheOther(intermediates),
  })),
  { name: `superiors${SUPERIORS_SIDE_BY_SIDE}`, intermediates: 1, entities: sideBySide(SUPERIORS_SIDE_BY_SIDE) },
];

function oneAboveTheOther(intermediates: number): Record<string, EntityPlan> {
  const entities: Record<string, EntityPlan> = { anchor: {} };
  let superior = 'anchor';
  for (let index = intermediates; index >= 1; index--) {
    const name = `intermediate${index}`;
    entities[name] = { superiors: { [superior]: {} } };
    superior = name;
  }
  return { ...entities, rp: { superiors: { [superior]: {} }, isRelyingParty: true } };
}

function sideBySide(superiors: number): Record<string, EntityPlan> {
  const names = Array.from({ length: superiors }, (_, index) => `intermediate${index}`);
  return {
    anchor: {},
    ...Object.fromEntries(names.map((name) => [name, { superiors: { anchor: {} } }])),
    rp: { superiors: Object.fromEntries(names.map((name) => [name, {}])), isRelyingParty: true },
  };
}

/** @returns of each round the ratio of the worst shape */
async function measureRounds(bench: Bench, shapes: readonly Shape[]): Promise<number[]> {
  const { rounds, roundSeconds } = bench.plan;
  bench.progress('warming up');
  for (const shape of shapes) for (let index = 0; index < WARM_UP_RESOLUTIONS; index++) await resolveCold(shape);
  const worst: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const ratios: number[] = [];
    for (const shape of shapes) {
      const ratio = await typicalRatio(shape, roundSeconds / shapes.length);
      shape.ratios.push(ratio);
      ratios.push(ratio);
    }
    worst.push(Math.max(...ratios));
    bench.progress(`round ${round + 1} of ${rounds}: ${ratios.map(readable).join(', ')}`);
  }
  return worst;
}

async function typicalRatio(shape: Shape, seconds: number): Promise<number> {
  const ratios: number[] = [];
  const endAt = performance.now() + seconds * 1000;
  do ratios.push((await resolveCold(shape)) / shape.unavoidableMs);
  while (performance.now() < endAt);
  return median(ratios);
}

/** With connections, statements and outcomes of its own. @returns how long it took, in milliseconds */
async function resolveCold({ federation }: Shape): Promise<number> {
  await using resolver = createResolver({
    trustAnchors: [{ entityIdentifier: federation.id('anchor'), jwks: federation.jwks('anchor') }],
    allow: '127.0.0.0/8',
  });
  const startedAt = performance.now();
  const outcome = await resolver.resolve(federation.id('rp'));
  const milliseconds = performance.now() - startedAt;
  if ('attempts' in outcome) throw new Error(outcome.attempts.map(({ message }) => message).join('; '));
  return milliseconds;
}
