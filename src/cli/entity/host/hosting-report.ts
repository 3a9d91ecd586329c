/** How the hosting of an entity is shown. */
import { z } from 'zod';
import type { Report } from '../../report.ts';
import { momentText, shortMoment } from '../../times.ts';

/** The members that the commands show, all others carried along. */
export const hostingSchema = z.looseObject({
  entityIdentifier: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  configurationLifetimeSeconds: z.number(),
  mode: z.string(),
  uploadedIat: z.number().nullable(),
  awaitsUpload: z.boolean(),
  servedUntil: z.string().nullable(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  keys: z.array(
    z.looseObject({
      kid: z.string(),
      state: z.string(),
      custody: z.string(),
      createdAt: z.string(),
      activateAfter: z.string().nullable(),
      removeAfter: z.string().nullable(),
    }),
  ),
});

export type HostingRecord = z.infer<typeof hostingSchema>;

const AWAITED = 'by itself from now on; nothing is uploaded yet, and what was signed here last is served';

const MODES: Readonly<Record<string, string>> = {
  signed_here: 'here, with the key kept for it',
  uploaded: 'by itself; it uploads them',
};

/** Whose key signs no more has its private half nowhere. */
const WITHOUT_PRIVATE_HALF: readonly string[] = ['retired', 'removed'];

export function describeHosting(report: Report, hosting: HostingRecord): void {
  report.heading(hosting.entityIdentifier);
  report.facts([
    ['signed', hosting.awaitsUpload ? AWAITED : (MODES[hosting.mode] ?? hosting.mode)],
    ['lifetime', `${hosting.configurationLifetimeSeconds} s`],
    ['signed at', hosting.uploadedIat === null ? undefined : momentText(hosting.uploadedIat)],
    ['served until', hosting.servedUntil === null ? undefined : momentText(hosting.servedUntil)],
    ['hosted since', momentText(hosting.startedAt)],
    ['ended', hosting.endedAt === null ? undefined : momentText(hosting.endedAt)],
  ]);
  report.heading('Keys');
  report.table(
    ['KID', 'STATE', 'CUSTODY', 'ADDED', 'SIGNS FROM', 'LISTED UNTIL'],
    hosting.keys.map(({ kid, state, custody, createdAt, activateAfter, removeAfter }) => [
      kid,
      state,
      WITHOUT_PRIVATE_HALF.includes(state) ? '-' : custody,
      shortMoment(createdAt),
      activateAfter === null ? '-' : shortMoment(activateAfter),
      removeAfter === null ? '-' : shortMoment(removeAfter),
    ]),
  );
  if (hosting.mode !== 'signed_here') return;
  report.heading('Metadata');
  report.json(hosting.metadata);
}
