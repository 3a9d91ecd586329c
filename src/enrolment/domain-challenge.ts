/** Where a host shows the challenges of enrolments: whoever can put a file there rules over its name. @see RFC 8615 */

/** Path of the file; each challenge is a line of its own. */
export const CHALLENGE_PATH = '/.well-known/holdfast-domain-challenge';
