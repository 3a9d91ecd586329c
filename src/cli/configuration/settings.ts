/** The folder in which a partner keeps its Entity Configuration: settings to edit, and private keys. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../federation/json.ts';
import { CommandError } from '../command-error.ts';
import { causeText, parseJsonInput, readTextInput } from '../input-file.ts';
import type { Surroundings } from '../surroundings.ts';

export const DEFAULT_LIFETIME_SECONDS = 86_400;
export const MAX_LIFETIME_SECONDS = 90 * 86_400;

export function settingsFile(dir: string): string {
  return path.join(dir, 'configuration.json');
}

export function keyFile(dir: string): string {
  return path.join(dir, 'private-keys.json');
}

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  {
    error: 'must be an object',
  },
);

const settingsSchema = z.strictObject({
  /** Entity Identifier. */
  entity: z.string(),
  /** Entity Identifiers of the Immediate Superiors; a Trust Anchor has none. */
  authority_hints: z.array(z.string()).min(1, 'must name at least one superior; leave it out instead of []').optional(),
  /** Metadata by Entity Type (OIDFED §5). */
  metadata: jsonObject,
  /** Further claims, such as `trust_marks`. */
  additionalClaims: jsonObject.optional(),
  lifetimeSeconds: z.number().int().min(60).max(MAX_LIFETIME_SECONDS),
});

export type ConfigurationSettings = z.infer<typeof settingsSchema>;

/** Writes the settings of a new folder. @throws CommandError usage when there are some */
export async function writeSettings(dir: string, settings: ConfigurationSettings): Promise<void> {
  const file = settingsFile(dir);
  try {
    await writeFile(file, `${JSON.stringify(settings, null, 2)}\n`, { flag: 'wx' });
  } catch (error) {
    throw new CommandError('usage', `cannot make ${file}: ${causeText(error)}`, { cause: error });
  }
}

/** Keeps the private keys out of a git repository that the folder may be part of. @throws CommandError usage */
export async function ignorePrivateKeys(dir: string): Promise<void> {
  const file = path.join(dir, '.gitignore');
  const entry = path.basename(keyFile(dir));
  const present = await readFile(file, 'utf8').catch(() => '');
  if (present.split(/\r?\n/).includes(entry)) return;
  try {
    await appendFile(file, `${present === '' || present.endsWith('\n') ? '' : '\n'}${entry}\n`);
  } catch (error) {
    throw new CommandError('usage', `cannot write ${file}: ${causeText(error)}`, { cause: error });
  }
}

/** @throws CommandError usage, with every wrong field */
export async function readSettings(
  dir: string,
  surroundings: Pick<Surroundings, 'stdin'>,
): Promise<ConfigurationSettings> {
  const file = settingsFile(dir);
  const value: JsonValue = parseJsonInput(await readTextInput(file, surroundings), file);
  const parsed = settingsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CommandError('usage', `${file} is not right`, {
    code: 'settings_invalid',
    fields: parsed.error.issues.map((issue) => ({ pointer: `/${issue.path.join('/')}`, detail: issue.message })),
  });
}
