/** Shows a Trust Mark type with the names of what it points to. */
import { showRecord } from '../../record-names.ts';
import { roleSchema } from '../../role/role-records.ts';
import type { ServiceSession } from '../../session.ts';
import type { TrustMarkTypeRecord } from '../trust-mark-records.ts';
import { describeType } from '../trust-mark-report.ts';

export async function showType(session: ServiceSession, type: TrustMarkTypeRecord): Promise<void> {
  const ids = session.output.isJson ? [] : (type.eligibility.roles ?? []);
  const roles = await Promise.all(
    ids.map((id) => session.client.send({ method: 'GET', path: `roles/${id}` }, roleSchema)),
  );
  const names = roles.map(({ domain, name }) => `${domain}/${name}`);
  await showRecord(session, type, (report, readable) => describeType(report, readable, names));
}
