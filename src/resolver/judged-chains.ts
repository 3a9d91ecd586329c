/** The candidate chains of one resolution, each validated for itself. @see OIDFED §10.3 */
import { FederationError } from '../federation/errors.ts';
import type { MetadataStep } from '../federation/metadata/metadata-trace.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import type { ValidationOptions } from '../federation/statement/validate-statement.ts';
import { type Attempt, attemptOf } from '../federation/trust-chain/attempt.ts';
import type { TrustAnchors, TrustChain } from '../federation/trust-chain/trust-chain.ts';
import { validateParsedTrustChain } from '../federation/trust-chain/validate-trust-chain.ts';
import type { TrustAnchorKeys } from './trust-anchor-keys.ts';

/** A chain that was put together, and what became of it. */
export interface JudgedChain {
  statements: EntityStatement[];
  verdict: TrustChain | Attempt;
  /** What each superior did to the subject's metadata, in order; none was taken if the chain failed before. */
  metadataSteps: MetadataStep[];
}

export interface JudgedChainsOptions {
  /** As they are pinned. */
  trustAnchors: TrustAnchors;
  /** Which keys they have by now. */
  keys: TrustAnchorKeys;
  /** At the present moment. */
  validation: () => ValidationOptions;
  /** Keep the steps by which metadata is resolved. */
  isTraced: boolean;
}

export class JudgedChains {
  readonly #options: JudgedChainsOptions;
  /** By the statements of the chain. */
  readonly #judged = new Map<string, Promise<JudgedChain>>();

  constructor(options: JudgedChainsOptions) {
    this.#options = options;
  }

  /** Validates every candidate for itself, so that none spoils another (§10.3), and once: what was valid stays so. */
  async judge(candidates: readonly EntityStatement[][]): Promise<JudgedChain[]> {
    await this.#learnKeys(candidates);
    return await Promise.all(
      candidates.map((statements) => {
        const name = statements.map(({ jwt }) => jwt).join(' ');
        const judged = this.#judged.get(name) ?? this.#judgeOne(statements);
        this.#judged.set(name, judged);
        return judged;
      }),
    );
  }

  async #judgeOne(statements: EntityStatement[]): Promise<JudgedChain> {
    const { trustAnchors, keys, validation, isTraced } = this.#options;
    const metadataSteps: MetadataStep[] = [];
    const observer = isTraced ? (step: MetadataStep) => void metadataSteps.push(step) : undefined;
    const options = { ...validation(), trustAnchors: keys.believed(trustAnchors), observer };
    return { statements, verdict: await verdictOn(statements, options), metadataSteps };
  }

  /** Every candidate ends with the configuration of its Trust Anchor. */
  async #learnKeys(candidates: readonly EntityStatement[][]): Promise<void> {
    const configurations = new Map(
      candidates.flatMap((chain) => chain.slice(-1)).map((last) => [last.claims.iss, last]),
    );
    const { trustAnchors, keys, validation } = this.#options;
    for (const [trustAnchor, configuration] of configurations) {
      const pinned = trustAnchors.get(trustAnchor);
      if (pinned !== undefined) await keys.learn(configuration, pinned, validation().now);
    }
  }
}

/** Those of them that are valid. */
export function validOf(chains: readonly JudgedChain[]): TrustChain[] {
  return chains.flatMap(({ verdict }) => ('statements' in verdict ? verdict : []));
}

async function verdictOn(
  chain: EntityStatement[],
  options: Parameters<typeof validateParsedTrustChain>[1],
): Promise<TrustChain | Attempt> {
  try {
    return await validateParsedTrustChain(chain, options);
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const way = new Set(chain.map(({ claims }) => claims.iss));
    return { ...attemptOf(way, error), complete: true };
  }
}
