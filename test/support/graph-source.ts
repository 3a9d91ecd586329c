/** A StatementSource over a graph given by names, for tests of discovery alone: its statements are not signed. */
import { FederationError, type Reason } from '../../src/federation/errors.ts';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import type { EntityStatement } from '../../src/federation/statement/entity-statement.ts';
import type { StatementSource } from '../../src/federation/trust-chain/statement-source.ts';

/** Authority hints by name; an entity without an entry does not exist. */
export type Hints = Record<string, readonly string[] | undefined> | ((name: string) => readonly string[] | undefined);

export function id(name: string): EntityIdentifier {
  return `https://${name}.example` as EntityIdentifier;
}

export function nameOf(identifier: string): string {
  return identifier.slice('https://'.length, -'.example'.length);
}

/**
 * Says `name` for a configuration and `superior>subject` for a statement, in `asked` and wherever one is named.
 * @example
 * const source = new GraphSource({ op: ['anchor'], anchor: [] });
 * source.fail('anchor>op', 'subject_not_active');
 */
export class GraphSource implements StatementSource {
  readonly asked: string[] = [];
  /** The signal that the last question came with. */
  signal: AbortSignal | undefined;
  readonly #hints: Hints;
  readonly #failures = new Map<string, Error>();
  readonly #holds = new Map<string, Promise<void>>();
  /** Delays every answer, for tests that decide about the order. */
  schedule: <T>(answer: Promise<T>, label: string) => Promise<T> = (answer) => answer;

  constructor(hints: Hints) {
    this.#hints = hints;
  }

  fail(what: string, failure: Reason | Error): void {
    const error = typeof failure === 'string' ? new FederationError(failure, `${what} fails`) : failure;
    this.#failures.set(what, error);
  }

  /** Keeps an answer back until the function is called. */
  hold(what: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#holds.set(what, promise);
    return resolve;
  }

  entityConfiguration(entity: EntityIdentifier, signal: AbortSignal): Promise<EntityStatement> {
    this.signal = signal;
    const name = nameOf(entity);
    const hints = typeof this.#hints === 'function' ? this.#hints(name) : this.#hints[name];
    if (hints === undefined && !this.#failures.has(name)) this.fail(name, 'entity_not_found');
    return this.#answer(name, statement(name, name, hints ?? []));
  }

  subordinateStatement(
    superior: EntityStatement,
    subject: EntityIdentifier,
    signal: AbortSignal,
  ): Promise<EntityStatement> {
    this.signal = signal;
    const issuer = nameOf(superior.claims.iss);
    return this.#answer(`${issuer}>${nameOf(subject)}`, statement(issuer, nameOf(subject), []));
  }

  #answer(what: string, answer: EntityStatement): Promise<EntityStatement> {
    this.asked.push(what);
    const answering = async (): Promise<EntityStatement> => {
      await this.#holds.get(what);
      const failure = this.#failures.get(what);
      if (failure !== undefined) throw failure;
      return answer;
    };
    return this.schedule(answering(), what);
  }
}

function statement(issuer: string, subject: string, hints: readonly string[]): EntityStatement {
  return {
    jwt: issuer === subject ? issuer : `${issuer}>${subject}`,
    header: { typ: 'entity-statement+jwt', alg: 'ES256', kid: issuer },
    claims: {
      iss: id(issuer),
      sub: id(subject),
      iat: 0,
      exp: 1,
      jwks: { keys: [] },
      ...(hints.length > 0 ? { authority_hints: hints.map(id) } : {}),
    },
  };
}
