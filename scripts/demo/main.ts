/** `npm run demo`: shows Holdfast at work, as a story that a person can follow or as one line of JSON. */
import { CommandError } from '../../src/cli/command-error.ts';
import { printable } from '../../src/cli/printable.ts';
import { Interrupted, Interruption } from './interruption.ts';
import { Narrator } from './narrator.ts';
import { helpText, type Options, parseOptions, UsageError } from './options.ts';
import { Stage } from './stage.ts';
import { STORIES } from './stories.ts';
import { type Findings, isEverythingFound, type Playground, StoryError } from './story.ts';

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
  const startedAt = performance.now();
  const findings = story.nothingFound();
  let exitCode = EXIT_NOT_EVERYTHING;
  try {
    await using stage = await Stage.open(narrator);
    const playground = await toTheEnd(stage);
    if (isEverythingFound(findings)) exitCode = 0;
    conclude(narrator, findings, performance.now() - startedAt);
    if (isKept) {
      if (isJson) writeFindings(findings);
      invite(narrator, playground, stage);
      await interruption.happened;
      narrator.say('', 'Stopping.');
    }
  } catch (error) {
    exitCode = error instanceof Interrupted ? error.exitCode : EXIT_NOT_EVERYTHING;
    narrator.failure(`The story ends here: ${explanation(error)}`);
  }
  if (isJson && !isKept) writeFindings(findings);
  return exitCode;

  async function toTheEnd(stage: Stage): Promise<Playground> {
    try {
      return await interruption.before(story.tell(stage, findings));
    } catch (error) {
      for (const { name, lastWords } of stage.lost) narrator.say('', `${name} ended. Its last words:`, ...lastWords);
      throw error;
    }
  }
}
