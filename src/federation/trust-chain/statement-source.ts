/** The port through which discovery gets statements. @see OIDFED §8.1, §9, §10.1 */
import type { EntityIdentifier } from '../identifiers.ts';
import type { EntityStatement } from '../statement/entity-statement.ts';

/** Where discovery gets statements from; whatever it gives has passed §3.2. */
export interface StatementSource {
  /**
   * The validated Entity Configuration of an entity.
   * @throws FederationError when there is no valid one
   */
  entityConfiguration(entity: EntityIdentifier, signal: AbortSignal): Promise<EntityStatement>;
  /**
   * The validated Subordinate Statement about `subject` by an Immediate Superior.
   * @param superior the superior's own Entity Configuration, the only place that its fetch endpoint is taken from
   * @throws FederationError when there is no valid one
   */
  subordinateStatement(
    superior: EntityStatement,
    subject: EntityIdentifier,
    signal: AbortSignal,
  ): Promise<EntityStatement>;
}
