/** The command line of the demo. */
import { parseArgs } from 'node:util';
import type { Story } from './story.ts';

export interface Options {
  story: Story;
  isJson: boolean;
  isKept: boolean;
  isHelp: boolean;
}

/** What is wrong with a command line, for the person who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * @param stories the first one is told when none is named
 * @throws UsageError
 */
export function parseOptions(args: readonly string[], stories: readonly [Story, ...Story[]]): Options {
  const { values, positionals } = parse(args);
  const [name = stories[0].name, another] = positionals;
  if (another !== undefined) throw new UsageError('one story at a time');
  const story = stories.find((candidate) => candidate.name === name);
  if (story === undefined) {
    const names = stories.map((candidate) => candidate.name).join(', ');
    throw new UsageError(`there is no story ${name}; there are: ${names}`);
  }
  return { story, isJson: values.json, isKept: values.keep, isHelp: values.help };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export function helpText(stories: readonly [Story, ...Story[]]): string {
  const width = Math.max(...stories.map(({ name }) => name.length));
  const rows = stories.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Shows Holdfast at work: real programs, real HTTP on loopback, a database of its own in a temporary folder.

Usage: npm run demo -- [options] [STORY]

Stories (without a name: ${stories[0].name}):
${rows.join('\n')}

Options:
  --keep       leave everything running to play with, until Ctrl-C
  --json       tell the story on stderr and end with what happened as one line of JSON on stdout
  -h, --help   this text

Nothing outside the temporary folder is touched; the folder and all programs are gone when the demo ends. The exit code
is 0 only if all that the story promises really happened, 1 if not, and 2 if the command line is wrong.
`;
}
