/** Turns whatever ended a command into an exit code and words: what happened, and what to do. */
import { CommanderError } from 'commander';
import { FederationError } from '../federation/errors.ts';
import { CommandError, EXIT, type ExitCode } from './command-error.ts';
import { asTyped } from './invocation.ts';

export interface Failure {
  exitCode: ExitCode;
  code: string;
  message: string;
  hint?: string;
  fields: readonly { pointer: string; detail: string }[];
  /** Its words stand on stderr already. */
  isReported: boolean;
}

const HELP_CODES = new Set(['commander.help', 'commander.helpDisplayed', 'commander.version']);

/** Errors of modules that are loaded by few commands, by name, so that the others need not load them. */
const NAMED_ERRORS: Readonly<Record<string, Exclude<keyof typeof EXIT, 'ok'>>> = {
  ConfigError: 'usage',
  StartError: 'usage',
  DatabaseUnreachable: 'unreachable',
  DataDirectoryInUse: 'unreachable',
  ServiceRoleMissing: 'unreachable',
  UnsealError: 'refused',
  RegistryError: 'refused',
};

export function failureOf(error: unknown): Failure {
  if (error instanceof CommanderError) return usageFailure(error);
  if (error instanceof CommandError) {
    const { exitCode, code, message, hint, fields } = error;
    return { exitCode, code, message, hint, fields, isReported: false };
  }
  if (error instanceof FederationError) {
    const place = error.at === '' ? '' : `${error.at} `;
    return failure('refused', error.reason, `${place}${error.message}`);
  }
  if (!(error instanceof Error)) return failure('fault', 'fault', String(error));
  const kind = NAMED_ERRORS[error.name];
  if (kind !== undefined) return failure(kind, error.name, error.message);
  return failure('fault', 'fault', `this is a fault of holdfast: ${error.stack ?? error.message}`);
}

function failure(kind: Exclude<keyof typeof EXIT, 'ok'>, code: string, message: string): Failure {
  return { exitCode: EXIT[kind], code, message, fields: [], isReported: false };
}

/** Commander wrote its message already; a help text that was asked for is no failure. */
function usageFailure({ exitCode, code, message }: CommanderError): Failure {
  return {
    exitCode: exitCode === 0 ? EXIT.ok : EXIT.usage,
    code: 'usage',
    message: message.replace(/^error: /, ''),
    hint: 'The same command with --help explains itself.',
    fields: [],
    isReported: HELP_CODES.has(code),
  };
}

/** The failure as lines for people. What a message says of its first field is not said again below it. */
export function failureText({ message, hint, fields }: Failure): string {
  const [first] = fields;
  const isOfFields = first !== undefined && message.startsWith(`${first.pointer} ${first.detail}`.trim());
  const isOne = isOfFields && fields.length === 1;
  const summary = isOfFields ? (isOne ? `${fieldName(first)}${first.detail}` : 'several values are refused') : message;
  const places = isOne ? [] : fields.map(({ pointer, detail }) => `  ${pointer || '/'}  ${detail}`);
  const lines = [`error: ${summary}`, ...places];
  if (hint !== undefined) lines.push(hint);
  return `${asTyped(lines.join('\n'))}\n`;
}

/** What is wrong begins the sentence: `entity identifier `, or `metadata/openid_provider ` within something larger. */
function fieldName({ pointer }: Failure['fields'][number]): string {
  const path = pointer.slice(1);
  if (path === '') return '';
  const words = path.replace(/[a-z](?=[A-Z])/g, '$& ').toLowerCase();
  return `${path.includes('/') ? path : words} `;
}

/** The failure as one line of JSON. */
export function failureJson({ exitCode, code, message, hint, fields }: Failure): string {
  const errors = fields.length === 0 ? undefined : fields;
  return `${JSON.stringify({ error: { code, message: asTyped(message), hint: hint && asTyped(hint), errors, exitCode } })}\n`;
}
