/** Records as people read them: where one points to another by its id, that one's name. */
import { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { CommandError, EXIT } from './command-error.ts';
import type { Report } from './report.ts';
import type { ServiceSession } from './session.ts';

type NamingSession = Pick<ServiceSession, 'client' | 'output'>;

/** Collections of the API by the member that points into them. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  authorityId: 'authorities',
  organisationId: 'organisations',
  parentId: 'organisations',
  onBehalfOf: 'organisations',
  entityId: 'entities',
  enforcementPointId: 'enforcement-points',
};

const namedSchema = z.looseObject({
  entityIdentifier: z.string().optional(),
  legalName: z.string().optional(),
  name: z.string().optional(),
});

/** Shows a record: as it is to machines, with names to people. */
export async function showRecord<T extends object>(
  session: NamingSession,
  record: T,
  describe: (report: Report, record: T) => void,
): Promise<void> {
  const [readable = record] = await withNames(session, [record]);
  session.output.result(record, (report) => describe(report, readable));
}

/** Copies of the records with names in place of ids; what the token does not reach keeps its id. */
export async function withNames<T extends object>(
  { client, output }: NamingSession,
  records: readonly T[],
): Promise<T[]> {
  if (output.isJson) return [...records];
  const names = new Map<string, Promise<string>>();
  const nameOf = (collection: string, id: string): Promise<string> => {
    const name = names.get(id) ?? readName(client, `${collection}/${id}`, id);
    names.set(id, name);
    return name;
  };
  const readable = async (record: T): Promise<T> => {
    const members = Object.entries(record).map(async ([member, value]) => {
      const collection = Object.hasOwn(COLLECTIONS, member) ? COLLECTIONS[member] : undefined;
      return [member, collection === undefined || typeof value !== 'string' ? value : await nameOf(collection, value)];
    });
    return { ...record, ...Object.fromEntries(await Promise.all(members)) };
  };
  return await Promise.all(records.map(readable));
}

async function readName(client: ApiClient, path: string, id: string): Promise<string> {
  try {
    const { entityIdentifier, legalName, name } = await client.send({ method: 'GET', path }, namedSchema);
    return legalName ?? entityIdentifier ?? name ?? id;
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === EXIT.refused) return id;
    throw error;
  }
}
