/** Statements for one resolution: our own authorities' directly, all others from a remote source. @see OIDFED §10.1 */
import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import {
  type ValidationOptions,
  validateEntityConfiguration,
  validateSubordinateStatement,
} from '../federation/statement/validate-statement.ts';
import type { StatementSource } from '../federation/trust-chain/statement-source.ts';

/**
 * What the authorities of this deployment say. An answer knows of every change that the resolution cache was told of:
 * whatever these answers come from follows a change first.
 */
export interface OwnAuthorities {
  /** The signed Entity Configuration of one of our own authorities; undefined when the entity is not ours. */
  entityConfiguration(entity: EntityIdentifier): Promise<string | undefined>;
  /** The statement of our own authority about a subject; null when it vouches for no such active subject. */
  subordinateStatement(authority: EntityIdentifier, subject: EntityIdentifier): Promise<string | null>;
}

export interface StatementSourceOptions {
  ownAuthorities?: OwnAuthorities | undefined;
  remote: StatementSource;
  validation: () => ValidationOptions;
  /**
   * Hears of everything that is asked, before it is asked. So whoever is told of a change after it was made may be
   * sure: either the answer already knew of the change, or the key was heard of before.
   */
  onDependency: (key: string) => void;
}

/** What stands for "this authority vouches for this subject, or does not". Identifiers contain no spaces. */
export function dependencyKey(authority: EntityIdentifier, subject: EntityIdentifier): string {
  return `statement ${authority} ${subject}`;
}

/** What stands for "this entity is one of our authorities, with this configuration, or is not". */
export function authorityDependencyKey(authority: EntityIdentifier): string {
  return `authority ${authority}`;
}

/** Creates the source of one resolution; it remembers which entities turned out to be ours. */
export function createStatementSource(options: StatementSourceOptions): StatementSource {
  const { ownAuthorities, remote, validation, onDependency } = options;
  const own = new Map<EntityIdentifier, OwnAuthorities>();
  return {
    async entityConfiguration(entity, signal) {
      onDependency(authorityDependencyKey(entity));
      const jwt = await ownAuthorities?.entityConfiguration(entity);
      if (ownAuthorities === undefined || jwt === undefined) return await remote.entityConfiguration(entity, signal);
      own.set(entity, ownAuthorities);
      return await validateEntityConfiguration(jwt, entity, validation());
    },

    async subordinateStatement(superior, subject, signal) {
      const { iss: authority, jwks } = superior.claims;
      onDependency(dependencyKey(authority, subject));
      const ours = own.get(authority);
      if (ours === undefined) return await remote.subordinateStatement(superior, subject, signal);
      const jwt = await ours.subordinateStatement(authority, subject);
      if (jwt === null) {
        throw new FederationError('subject_not_active', `${authority} vouches for no such active subject`);
      }
      return await validateSubordinateStatement(jwt, subject, { entityIdentifier: authority, jwks }, validation());
    },
  };
}

export interface RememberingSource extends StatementSource {
  /** Asks once more for what these entities say, and for what is said of them. */
  forget(entities: ReadonlySet<string>): void;
}

/** Asks for each statement once a resolution, whether it may be kept for others or not. */
export function rememberingSource(options: StatementSourceOptions): RememberingSource {
  const source = createStatementSource(options);
  const known = new Map<string, EntityStatement>();
  const remember = (name: string, statement: EntityStatement) => {
    known.set(name, statement);
    return statement;
  };
  return {
    entityConfiguration: async (entity, signal) =>
      known.get(entity) ?? remember(entity, await source.entityConfiguration(entity, signal)),
    async subordinateStatement(superior, subject, signal) {
      const name = `${superior.claims.iss} ${subject}`;
      return known.get(name) ?? remember(name, await source.subordinateStatement(superior, subject, signal));
    },
    forget(entities) {
      for (const name of known.keys()) if (name.split(' ').some((entity) => entities.has(entity))) known.delete(name);
    },
  };
}
