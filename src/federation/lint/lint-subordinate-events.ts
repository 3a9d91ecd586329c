/** What must hold before the history of a subordinate is signed. @see EVENTS §2.3 */
import { FederationError, pointer } from '../errors.ts';
import { parseEntityIdentifier } from '../identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { TYP } from '../media-types.ts';
import { isNumericDate, type NumericDate } from '../time.ts';
import { type HouseRules, lintLifetime, lintReadable } from './house-rules.ts';
import { MAX_STATEMENT_BYTES } from './lint-entity-statement.ts';
import { type LintedStatement, passed } from './linted-statement.ts';

const CLAIMS: ReadonlySet<string> = new Set(['iss', 'sub', 'iat', 'exp', 'federation_registration_events']);
const EVENT_MEMBERS: ReadonlySet<string> = new Set(['iat', 'event', 'event_description']);

/** What a registration sets up itself: not told again for the same moment. */
const UPDATE_EVENTS: ReadonlySet<string> = new Set(['metadata_update', 'metadata_policy_update', 'jwks_update']);

/**
 * Lints the history of a subordinate.
 * @throws FederationError claim_missing, claim_invalid, entity_identifier_invalid, lint_failed
 * @see EVENTS §2.3
 */
export function lintSubordinateEvents(claims: JsonObject, rules: HouseRules): LintedStatement {
  return passed(TYP.entityEvents, claims, [
    () => {
      parseEntityIdentifier(claims['iss'], rules, '/iss');
      parseEntityIdentifier(claims['sub'], rules, '/sub');
    },
    () => lintLifetime(claims, rules),
    () => lintMembers(claims, CLAIMS, ''),
    () => lintEvents(claims['federation_registration_events']),
    (payload) => lintReadable(payload, MAX_STATEMENT_BYTES),
  ]);
}

/** A history without an event would be that of an entity that was never registered. @see EVENTS §2.3 */
function lintEvents(events: JsonValue | undefined): void {
  const at = '/federation_registration_events';
  if (!Array.isArray(events) || events.length === 0) {
    throw new FederationError('claim_missing', 'must be a list of one event at least', at);
  }
  const registrations = new Set<NumericDate>();
  for (const [index, event] of events.entries()) {
    const place = at + pointer(index);
    if (!isJsonObject(event)) throw new FederationError('claim_invalid', 'must be an object', place);
    lintMembers(event, EVENT_MEMBERS, place);
    const { iat: moment, event: name } = event;
    if (typeof name !== 'string' || name === '')
      throw new FederationError('claim_missing', 'is required', `${place}/event`);
    if (!isNumericDate(moment)) throw new FederationError('claim_missing', 'is required', `${place}/iat`);
    if (name === 'registration') registrations.add(moment);
  }
  for (const [index, event] of events.entries()) {
    const { iat: moment, event: name } = event as JsonObject;
    if (!UPDATE_EVENTS.has(String(name)) || !registrations.has(Number(moment))) continue;
    throw new FederationError('lint_failed', 'is part of the registration of that moment', at + pointer(index));
  }
}

/** Nothing stands there that the draft does not define. @see EVENTS §2.3 */
function lintMembers(object: JsonObject, known: ReadonlySet<string>, at: string): void {
  const other = Object.keys(object).find((member) => !known.has(member));
  if (other !== undefined) throw new FederationError('lint_failed', 'has no place here', at + pointer(other));
}
