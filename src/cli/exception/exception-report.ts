/** How exceptions are shown. */
import { z } from 'zod';
import type { ApiClient } from '../api-client.ts';
import type { Report } from '../report.ts';
import { momentText, shortMoment } from '../times.ts';

const person = z.looseObject({ id: z.string(), name: z.string() });

export const exceptionSchema = z.looseObject({
  id: z.string(),
  entityIdentifier: z.string(),
  kind: z.string(),
  reason: z.string(),
  owner: person,
  requester: person,
  approver: person.nullable(),
  state: z.string(),
  inEffect: z.boolean(),
  allowedTransitions: z.array(z.string()),
  stateReason: z.string().nullable(),
  stateChangedAt: z.string(),
  endsAt: z.string(),
  version: z.number(),
});

export type ExceptionRecord = z.infer<typeof exceptionSchema>;

export const EXCEPTION_COLUMNS = ['ID', 'ENTITY', 'KIND', 'STATE', 'IN EFFECT', 'OWNER', 'ENDS'];

export function exceptionRow({
  id,
  entityIdentifier,
  kind,
  state,
  inEffect,
  owner,
  endsAt,
}: ExceptionRecord): string[] {
  return [id, entityIdentifier, kind, state, inEffect ? 'yes' : 'no', owner.name, shortMoment(endsAt)];
}

export function describeException(report: Report, exception: ExceptionRecord): void {
  report.heading(titleOf(exception));
  report.facts([
    ['id', exception.id],
    ['state', exception.state],
    ['since', momentText(exception.stateChangedAt)],
    ['decided because', exception.stateReason ?? undefined],
    ['in effect', exception.inEffect ? 'yes' : 'no'],
    ['ends', momentText(exception.endsAt)],
    ['reason', exception.reason],
    ['owner', exception.owner.name],
    ['asked for by', exception.requester.name],
    ['approved by', exception.approver?.name],
    ['possible', exception.allowedTransitions.join(', ')],
    ['version', String(exception.version)],
  ]);
}

/** Of an entity, those that are over too. */
export async function exceptionsOf(client: ApiClient, entityId: string): Promise<ExceptionRecord[]> {
  const { items } = await client.list('exceptions', { entityId }, exceptionSchema, { limit: Number.POSITIVE_INFINITY });
  return items;
}

/** Below its entity; nothing if there are none. */
export function describeExceptions(report: Report, exceptions: readonly ExceptionRecord[]): void {
  if (exceptions.length === 0) return;
  report.heading('Exceptions');
  report.table(
    ['ID', 'KIND', 'STATE', 'IN EFFECT', 'ENDS'],
    exceptions.map(({ id, kind, state, inEffect, endsAt }) => [
      ...[id, kind, state, inEffect ? 'yes' : 'no', shortMoment(endsAt)],
    ]),
  );
}

export function titleOf({ kind, entityIdentifier }: ExceptionRecord): string {
  return `${kind} of ${entityIdentifier}`;
}
