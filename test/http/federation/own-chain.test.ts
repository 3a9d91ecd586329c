import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FederationError } from '../../../src/federation/errors.ts';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import { attemptOf } from '../../../src/federation/trust-chain/attempt.ts';
import { BackgroundEvaluations } from '../../../src/http/federation/background-evaluations.ts';
import { ownResolution } from '../../../src/http/federation/own-chain.ts';
import type { ResolutionRequest } from '../../../src/http/federation/resolutions.ts';
import { AuthorityDirectory, type ServedAuthority } from '../../../src/registry/authorities/authority-directory.ts';
import type { ResolveOutcome } from '../../../src/resolver/resolution.ts';
import { ManualClock } from '../../support/federation.ts';
import { openRegistry, type TestRegistry } from '../../support/registry.ts';

const ANCHOR = 'https://anchor.example' as EntityIdentifier;
const TRUST_ANCHORS = new Map([[ANCHOR, { keys: [] }]]);

let registry: TestRegistry;
let directory: AuthorityDirectory;
let served: ServedAuthority;
let own: ResolutionRequest;

beforeAll(async () => {
  registry = await openRegistry('embedded');
  const { id, entityIdentifier } = await registry.authority();
  directory = new AuthorityDirectory(registry.db);
  await directory.reload();
  served = directory.get(id)!;
  own = { scope: id, subject: entityIdentifier as EntityIdentifier, trustAnchors: TRUST_ANCHORS };
});

afterAll(() => registry[Symbol.asyncDispose]());

/** Asks for the chain of an authority without superiors, which is evaluated as the test says. */
function setUp(evaluate: (background: BackgroundEvaluations) => ResolveOutcome) {
  const background = new BackgroundEvaluations({
    clock: new ManualClock(),
    resolve: () => Promise.reject(new Error('nothing is left to the background here')),
    onError: () => {},
  });
  const resolutions = { peek: () => undefined, resolve: async () => evaluate(background) };
  const request = { ...own, subject: 'https://rp.example' as EntityIdentifier };
  const ask = () => ownResolution(served, request, ANCHOR, { resolutions, background, directory });
  return { background, ask };
}

function refused(): ResolveOutcome {
  const error = new FederationError('no_authority_hints', 'by a test');
  return { attempts: [attemptOf([own.subject], error)], requests: 0 };
}

describe("an authority's own chain", () => {
  it('that there is none is remembered', async () => {
    const { background, ask } = setUp(refused);
    expect(await ask()).toBeUndefined();
    expect(background.knownRefusal(own)).toMatchObject({ wire: 'invalid_trust_chain' });
  });

  it('is looked for again when the registry changed meanwhile', async () => {
    const { background, ask } = setUp((evaluations) => {
      evaluations.forget();
      return refused();
    });
    expect(await ask()).toBeUndefined();
    expect(background.knownRefusal(own)).toBeUndefined();
  });
});
