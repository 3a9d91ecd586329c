/** A request by a method that an endpoint does not serve. */
import { FederationError } from '../../federation/errors.ts';

export class MethodNotServed extends FederationError {
  /** The methods that it serves. */
  readonly allow: readonly string[];

  constructor(allow: readonly string[]) {
    super('method_not_served', `this endpoint is asked with ${allow.join(', ')}`);
    this.allow = allow;
  }
}
