/** A request with more in it than is ever read. @see RFC 9110 §15.5.14 */
import { FederationError } from '../../federation/errors.ts';

export class RequestTooLarge extends FederationError {
  readonly status = 413;

  constructor(message: string, at = '') {
    super('request_too_large', message, at);
  }
}
