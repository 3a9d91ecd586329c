/** `holdfast audit export` */
import { once } from 'node:events';
import { open, rename } from 'node:fs/promises';
import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import { positiveInteger } from '../option-values.ts';
import { unwritable } from '../output-file.ts';
import { printable } from '../printable.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

interface ExportOptions {
  after?: number;
  out?: string;
}

const DESCRIPTION = `Write the audit as NDJSON: a row a line, in order, each with the hash before it and its own. Needs a
token of all authorities. \`holdfast audit verify --file\` checks it.`;

export function addAuditExportCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('export')
    .summary('the audit as NDJSON')
    .description(DESCRIPTION)
    .option('--after <seq>', 'leave out changes up to this one, exported before', positiveInteger)
    .option('--out <file>', 'write to a file instead of standard output')
    .addHelpText('after', example('holdfast audit export --out audit.ndjson'));
  command.action(async ({ after, out }: ExportOptions) => {
    const { client, output, stdout } = openServiceSession(command, surroundings);
    const text = exportedText(client, after);
    if (out !== undefined) {
      const rows = await writeFile(out, text);
      return output.result({ file: out, rows }, (report) => report.line(`${rows} rows in ${out}`));
    }
    for await (const part of text) {
      if (!stdout.write(part)) await once(stdout, 'drain');
    }
  });
}

/** In JSON the characters that a terminal must not see keep their meaning. */
async function* exportedText(client: ApiClient, after: number | undefined): AsyncGenerator<string> {
  const query = after === undefined ? {} : { after: String(after) };
  for await (const text of client.download('audit/export', query)) yield printable(text);
}

/** The file has its name only when it is whole. @returns how many rows it has */
async function writeFile(file: string, text: AsyncIterable<string>): Promise<number> {
  let rows = 0;
  try {
    const unfinished = `${file}.partial`;
    await using handle = await open(unfinished, 'w', 0o600);
    for await (const part of text) {
      rows += part.split('\n').length - 1;
      await handle.write(part);
    }
    await handle.sync();
    await rename(unfinished, file);
    return rows;
  } catch (error) {
    throw error instanceof CommandError ? error : unwritable(file, error);
  }
}
