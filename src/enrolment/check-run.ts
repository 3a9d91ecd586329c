/** A round of automatic checks: each is tried, and how it came out is kept. */
import { FederationError } from '../federation/errors.ts';
import type { NumericDate } from '../federation/time.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { EnrolmentCheck } from '../storage/schema/entities.ts';

export class CheckRun {
  readonly checks: EnrolmentCheck[] = [];
  readonly #at: string;

  constructor(now: NumericDate) {
    this.#at = new Date(now * 1000).toISOString();
  }

  /**
   * @param passed says what was found, for the person who decides
   * @returns what the step found; undefined when it was refused
   * @throws whatever is no refusal
   */
  async attempt<T>(check: string, step: () => T | Promise<T>, passed: (found: T) => string): Promise<T | undefined> {
    try {
      const found = await step();
      this.checks.push({ check, outcome: 'passed', detail: passed(found), at: this.#at });
      return found;
    } catch (error) {
      this.checks.push({ check, outcome: 'failed', ...refusalOf(error), at: this.#at });
      return undefined;
    }
  }

  /** Checks that cannot be tried because an earlier one failed. */
  skip(checks: readonly string[], detail: string): void {
    for (const check of checks) this.checks.push({ check, outcome: 'skipped', detail, at: this.#at });
  }
}

/** Whether a round of checks lets the entity be approved. */
export function allPassed(checks: readonly EnrolmentCheck[]): boolean {
  return checks.every((check) => check.outcome === 'passed');
}

function refusalOf(error: unknown): { reason: string; detail: string } {
  if (error instanceof RegistryError) return { reason: error.code, detail: error.message };
  if (!(error instanceof FederationError)) throw error;
  return { reason: error.reason, detail: error.at === '' ? error.message : `${error.at}: ${error.message}` };
}
