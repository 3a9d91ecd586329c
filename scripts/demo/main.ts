/** `npm run demo`: shows Holdfast at work, as a story that a person can follow or as one line of JSON. */
import { CommandError } from '../../src/cli/command-error.ts';
import { printable } from '../../src/cli/printable.ts';
import { Interrupted, Interruption } from './interruption.ts';
import { Narrator } from './narrator.ts';
import { helpText, type Options, parseOptions, UsageError } from './options.ts';
import { Stage } from './stage.ts';
import { STORIES } from './stories.ts';
import { type Findings, isEverythingFound, type Playground, StoryError } from './story.ts';

const EXIT_EVERYTHING = 0;
const EXIT_NOT_EVERYTHING = 1;
const EXIT_USAGE = 2;

try {
  const options = parseOptions(process.argv.slice(2), STORIES);
  if (options.isHelp) process.stdout.write(helpText(STORIES));
  else process.exitCode = await run(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`demo: ${error.message}\nTry: npm run demo -- --help`);
  process.exitCode = EXIT_USAGE;
}

/** @returns the exit code */
async function run({ story, isJson, isKept }: Options): Promise<number> {
  using interruption = new Interruption();
  const narrator = new Narrator(isJson ? process.stderr : process.stdout);
  const findings = story.nothingFound();
  const startedAt = performance.now();
  let exitCode = EXIT_NOT_EVERYTHING;
  let isReported = !isJson;
  try {
    await using stage = await Stage.open(narrator);
    const playground = await interruption.before(story.tell(stage, findings)).catch(async (error: unknown) => {
      if (!(error instanceof Interrupted)) await tellLastWords(stage);
      throw error;
    });
    if (isEverythingFound(findings)) exitCode = EXIT_EVERYTHING;
    conclude(narrator, findings, performance.now() - startedAt);
    report();
    if (isKept) {
      invite(narrator, playground, stage);
      await interruption.happened;
      narrator.say('', 'Stopping.');
    }
  } catch (error) {
    exitCode = error instanceof Interrupted ? error.exitCode : EXIT_NOT_EVERYTHING;
    narrator.failure(`The story ends here: ${explanation(error)}`);
  }
  report();
  return exitCode;

  function report(): void {
    if (!isReported) process.stdout.write(`${JSON.stringify(findings)}\n`);
    isReported = true;
  }
}

/** A story often breaks off because one of its programs did. */
async function tellLastWords(stage: Stage): Promise<void> {
  for (const { name, lastWords } of await stage.lostPrograms()) {
    stage.narrator.say('', `The program "${name}" ended. Its last words:`, ...lastWords.map(printable));
  }
}

function conclude(narrator: Narrator, findings: Findings, durationMs: number): void {
  const seconds = (durationMs / 1000).toFixed(1);
  const missing = Object.keys(findings).filter((name) => !isEverythingFound({ [name]: findings[name] ?? null }));
  if (missing.length === 0) narrator.success(`All of it happened, in ${seconds} s.`);
  else narrator.failure(`Not everything happened, in ${seconds} s. Missing: ${missing.join(', ')}.`);
}

function invite(narrator: Narrator, { facts, commands }: Playground, { dir }: Stage): void {
  narrator.say('', 'Everything goes on running. To play with it:');
  narrator.facts([...facts, ['logs and files', dir]]);
  narrator.say('', 'In another terminal, in the folder of Holdfast:', ...commands.map((command) => `  ${command}`));
  narrator.say('', 'Ctrl-C stops everything and removes the files.');
}

function explanation(error: unknown): string {
  const isForPeople = [CommandError, StoryError, Interrupted].some((kind) => error instanceof kind);
  if (error instanceof Error && isForPeople) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
