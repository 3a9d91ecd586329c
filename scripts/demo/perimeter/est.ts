/** How the machine of a partner gets its certificate by itself, and renews it. @see RFC 7030 */
import { z } from 'zod';
import type { EntityRecord } from '../../../src/cli/api-records.ts';
import type { Stage } from '../stage.ts';
import { StoryError } from '../story.ts';
import type { Certified } from './certificates.ts';
import { Connection, type ServerAnswer } from './connection.ts';
import { certifiedBy, newKeyWithRequest } from './openssl.ts';
import type { Registry } from './registry.ts';

const codeSchema = z.looseObject({ code: z.string() });

export async function makeCode({ api }: Registry, { id }: EntityRecord): Promise<string> {
  const body = { profile: 'client' };
  return (await api.send({ method: 'POST', path: `entities/${id}/certificate-codes`, body }, codeSchema)).code;
}

/** @param name of the files of its key @throws StoryError */
export async function enrolWithCode(stage: Stage, registry: Registry, name: string, code: string): Promise<Certified> {
  const { key, request } = await newKeyWithRequest(stage, name);
  return await certifiedBy(contentOf(await askWithCode(registry, code, request)), key);
}

/** Tries a code with a key of one's own. @returns the HTTP status */
export async function tryCode(stage: Stage, registry: Registry, code: string): Promise<number> {
  const { request } = await newKeyWithRequest(stage, 'thief');
  return (await askWithCode(registry, code, request)).status;
}

async function askWithCode({ est, serverCa }: Registry, code: string, request: string): Promise<ServerAnswer> {
  using connection = new Connection(serverCa.certificate);
  const authorization = `Basic ${Buffer.from(`:${code}`).toString('base64')}`;
  return await connection.ask(`${est}/simpleenroll`, { headers: { authorization }, pkcs10: request });
}

/** By what it has, with a new key. @throws StoryError */
export async function renew(stage: Stage, registry: Registry, name: string, before: Certified): Promise<Certified> {
  const { key, request } = await newKeyWithRequest(stage, name);
  return await certifiedBy(contentOf(await askToRenew(registry, before, request)), key);
}

/** @returns the HTTP status */
export async function tryToRenew(stage: Stage, registry: Registry, before: Certified): Promise<number> {
  const { request } = await newKeyWithRequest(stage, 'late');
  return (await askToRenew(registry, before, request)).status;
}

async function askToRenew({ est, serverCa }: Registry, before: Certified, request: string): Promise<ServerAnswer> {
  using connection = new Connection(serverCa.certificate, before);
  return await connection.ask(`${est}/simplereenroll`, { pkcs10: request });
}

function contentOf({ status, body }: ServerAnswer): string {
  if (status === 200) return body;
  throw new StoryError(`no certificate: ${status} ${body}`);
}
