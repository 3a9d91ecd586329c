/** Files that a person hands to a command; `-` is standard input. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { FederationError } from '../federation/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../federation/json.ts';
import { CommandError } from './command-error.ts';
import type { Surroundings } from './surroundings.ts';

/** @throws CommandError usage, naming the file */
export async function readTextInput(file: string, { stdin }: Pick<Surroundings, 'stdin'>): Promise<string> {
  if (file === '-') return await text(stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CommandError('usage', `cannot read ${file}: ${causeText(error)}`, {
      code: 'file_unreadable',
      cause: error,
    });
  }
}

/** JSON as the service reads it: a duplicate member name is an error, not a surprise. @throws CommandError usage */
export async function readJsonInput(file: string, surroundings: Pick<Surroundings, 'stdin'>): Promise<JsonValue> {
  return parseJsonInput(await readTextInput(file, surroundings), file);
}

/** Reads files that were named, and nothing for those that were not. */
export function optionalJsonInput(
  surroundings: Pick<Surroundings, 'stdin'>,
): (file: string | undefined) => Promise<JsonValue | undefined> {
  return async (file) => (file === undefined ? undefined : await readJsonInput(file, surroundings));
}

/** @throws CommandError usage */
export async function readJsonObjectInput(
  file: string,
  surroundings: Pick<Surroundings, 'stdin'>,
): Promise<JsonObject> {
  const value = await readJsonInput(file, surroundings);
  if (isJsonObject(value)) return value;
  throw new CommandError('usage', `${nameOf(file)} must hold a JSON object`, { code: 'file_invalid' });
}

/** @throws CommandError usage */
export function parseJsonInput(content: string, file: string, maxDepth?: number): JsonValue {
  try {
    return parseJson(content, maxDepth);
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const syntax = error.cause instanceof Error ? `: ${error.cause.message}` : '';
    throw new CommandError('usage', `${nameOf(file)} ${error.message}${syntax}`, {
      code: 'file_invalid',
      cause: error,
    });
  }
}

export function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file;
}

const CAUSES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is no directory',
  EEXIST: 'it exists already',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
};

/** Why a file operation failed, in words. */
export function causeText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return CAUSES[code] ?? error.message;
}
