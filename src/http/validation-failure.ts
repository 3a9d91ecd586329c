/** What a schema refuses, said by JSON Pointers. @see RFC 6901 */
import { pointer } from '../federation/errors.ts';
import { type FieldError, RegistryError } from '../registry/registry-error.ts';

/** The part of a zod error that is read here. */
export interface SchemaIssues {
  issues: readonly { code?: string; path: readonly PropertyKey[]; message: string; keys?: readonly string[] }[];
}

/** Pointers into the body start at its root; those into other parts of the request start with the part's name. */
const ROOTS: Readonly<Record<string, string>> = { json: '', query: '/query', header: '/header' };
/** More would not help anybody. */
const MAX_ERRORS = 20;
const MAX_STEP_LENGTH = 100;

/** @param target part of the request: `json`, `query` or `header` */
export function validationFailure(target: string, { issues }: SchemaIssues): RegistryError {
  const root = ROOTS[target] ?? `/${target}`;
  const errors = issues.flatMap((issue) => fieldErrors(root, issue)).slice(0, MAX_ERRORS);
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const message = first === undefined ? 'the request is not valid' : `${first.pointer} ${first.detail}`.trim() + more;
  return new RegistryError('validation_failed', message, { errors });
}

function fieldErrors(root: string, issue: SchemaIssues['issues'][number]): FieldError[] {
  const place = root + pointer(...issue.path.map(step));
  if (issue.code === 'unrecognized_keys' && issue.keys !== undefined) {
    return issue.keys.map((key) => ({ pointer: place + pointer(step(key)), detail: 'is not known here' }));
  }
  const isMissing = issue.message.endsWith('received undefined');
  return [{ pointer: place, detail: isMissing ? 'is required' : issue.message }];
}

/** A member name of the caller is shown, but not at any length. */
function step(name: PropertyKey): string {
  const text = String(name);
  return text.length > MAX_STEP_LENGTH ? `${text.slice(0, MAX_STEP_LENGTH)}…` : text;
}
