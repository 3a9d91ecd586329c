/** `holdfast status`: who is in, as everybody is told. */
import type { Command } from 'commander';
import { z } from 'zod';
import { CommandError } from './command-error.ts';
import { example } from './help-text.ts';
import { wholeNumber } from './option-values.ts';
import { openServiceSession } from './session.ts';
import type { Surroundings } from './surroundings.ts';

const statusSchema = z.looseObject({ kind: z.string(), id: z.string(), status: z.string() });

const pageSchema = z.object({
  items: z.array(statusSchema.extend({ seq: z.number().optional() })),
  next: z.string().optional(),
  nextSeq: z.number(),
});

type Statuses = Omit<z.infer<typeof pageSchema>, 'next'>;

interface StatusOptions {
  since?: number;
}

const DESCRIPTION = `Show the status of a participant, an organisation or an entity by its id, as everybody is told it; without
an id that of all, or with --since only what changed after that change of the registry. The last line says since when
to ask next.`;

const PAGE_SIZE = '1000';

export function addStatusCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('status [id]')
    .summary('the status of participants, as everybody is told it')
    .description(DESCRIPTION)
    .option('--since <seq>', 'only what changed after this change', wholeNumber)
    .addHelpText('after', example('holdfast status', 'holdfast status --since 4711 --json'));
  command.action(async (id: string | undefined, { since }: StatusOptions) => {
    if (id !== undefined && since !== undefined) {
      throw new CommandError('usage', '--since is for all participants, not for one');
    }
    const { client, output } = openServiceSession(command, surroundings);
    if (id !== undefined) {
      const path = `status/${encodeURIComponent(id)}`;
      const member = await client.send({ method: 'GET', path }, statusSchema);
      return output.text(member.status, member);
    }
    const read = (query: Record<string, string | undefined>) =>
      client.send({ method: 'GET', path: 'status', query: { ...query, limit: PAGE_SIZE } }, pageSchema);
    const all = since === undefined ? await readAll(read) : await readSince(read, since);
    output.result(all, (report) => {
      // Of those that changed only the change is told.
      report.table(
        ['KIND', 'ID', 'STATUS', ...(since === undefined ? [] : ['SEQ'])],
        all.items.map((one) => [one.kind, one.id, one.status, ...(one.seq === undefined ? [] : [String(one.seq)])]),
      );
      report.line(`next: --since ${all.nextSeq}`);
    });
  });
}

type ReadPage = (query: Record<string, string | undefined>) => Promise<z.infer<typeof pageSchema>>;

async function readAll(read: ReadPage): Promise<Statuses> {
  const first = await read({});
  const items = [...first.items];
  for (let cursor = first.next; cursor !== undefined; ) {
    const page = await read({ cursor });
    items.push(...page.items);
    cursor = page.next;
  }
  return { items, nextSeq: first.nextSeq };
}

/** Of each the latest, until a page has nothing new. */
async function readSince(read: ReadPage, since: number): Promise<Statuses> {
  const latest = new Map<string, Statuses['items'][number]>();
  for (let nextSeq = since; ; ) {
    const page = await read({ since: String(nextSeq) });
    for (const one of page.items) {
      latest.delete(one.id);
      latest.set(one.id, one);
    }
    if (page.items.length === 0) return { items: [...latest.values()], nextSeq: page.nextSeq };
    nextSeq = page.nextSeq;
  }
}
