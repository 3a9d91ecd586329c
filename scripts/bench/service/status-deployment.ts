/** A deployment whose members changed their status very often, on a real PostgreSQL. */
import path from 'node:path';
import { Client } from 'pg';
import type { Bench } from '../bench.ts';
import { readable } from '../rounds.ts';
import { fillRegistry } from '../samples/fill-registry.ts';
import { TRUST_ANCHOR } from '../samples/registry-records.ts';
import { createDatabase, postgres } from './deployment.ts';
import { type HoldfastProcess, startHoldfast } from './holdfast-process.ts';
import { runDirectory } from './run-directory.ts';

export interface StatusDeployment extends HoldfastProcess {
  databaseUrl: string;
  /** Changes of statuses are after the first and up to the last. */
  firstSeq: number;
  lastSeq: number;
}

export interface StatusHistory {
  changes: number;
  members: number;
}

export async function startStatusDeployment(
  bench: Bench,
  { changes, members }: StatusHistory,
): Promise<StatusDeployment> {
  const databaseUrl = await createDatabase((await bench.shared(postgres)).url, 'bench_status');
  const dataDir = path.join(runDirectory(), 'data-status');
  const settings = { baseUrl: TRUST_ANCHOR, dataDir, databaseUrl };
  bench.progress(`recording ${readable(members)} entities and ${readable(changes)} changes`);
  // The first start makes the authority and its keys.
  await (await startHoldfast(settings))[Symbol.asyncDispose]();
  await fillRegistry(databaseUrl, members);
  const { firstSeq, lastSeq } = await recordChanges(databaseUrl, { changes, members });
  // All questions come from one address here.
  const environment = { HOLDFAST_RESOLVE_ANONYMOUS_UNITS: '1000000000' };
  const service = await startHoldfast({ ...settings, environment });
  return { ...service, databaseUrl, firstSeq, lastSeq, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };
}

/** Each a suspension or a reinstatement of the next entity, as the registry would have written it; the audit is another matter. */
async function recordChanges(
  databaseUrl: string,
  { changes, members }: StatusHistory,
): Promise<{ firstSeq: number; lastSeq: number }> {
  const client = new Client(databaseUrl);
  await client.connect();
  try {
    const { rows } = await client.query<{ seq: string }>('SELECT seq FROM registry_counter WHERE id = 1');
    const firstSeq = Number(rows[0]?.seq);
    await client.query(
      `WITH numbered AS (
         SELECT row_number() OVER (ORDER BY entities.id) - 1 AS place, entities.id,
           entities.entity_identifier, entities.organisation_id, entities.authority_id,
           authorities.entity_identifier AS authority
         FROM entities JOIN authorities ON authorities.id = entities.authority_id
       ), change AS (
         SELECT number, CASE WHEN number / $3::bigint % 2 = 0 THEN 'suspended' ELSE 'active' END AS status
         FROM generate_series(1, $1::bigint) AS number
       )
       INSERT INTO events (seq, ordinal, type, authority_id, subject_kind, subject_id, organisation_id, entity_id,
         role_ids, statuses, data, at)
       SELECT $2::bigint + number, 0, 'entity.' || CASE status WHEN 'active' THEN 'reinstated' ELSE status END,
         authority_id, 'entity', id::text, organisation_id, id, '[]',
         jsonb_build_array(jsonb_build_object('kind', 'entity', 'id', id, 'status', status)),
         jsonb_build_object(
           'authority', jsonb_build_object('id', authority_id, 'entityIdentifier', authority),
           'subject', jsonb_build_object('kind', 'entity', 'id', id, 'name', entity_identifier,
             'entityIdentifier', entity_identifier, 'organisationId', organisation_id, 'status', status),
           'reasonCode', 'other', 'affected', '[]'::jsonb),
         now()
       FROM change JOIN numbered ON numbered.place = change.number % $3::bigint`,
      [changes, firstSeq, members],
    );
    const lastSeq = firstSeq + changes;
    await client.query('UPDATE registry_counter SET seq = $1 WHERE id = 1', [lastSeq]);
    await client.query('VACUUM ANALYZE events');
    return { firstSeq, lastSeq };
  } finally {
    await client.end();
  }
}
