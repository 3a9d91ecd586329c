/** `npm run bench`: measures what the issues promise about speed and memory. */
import { Bench } from './bench.ts';
import { meetsTarget, type Result } from './figure.ts';
import { FIGURES } from './figures.ts';
import { helpText, isShortened, type Options, parseOptions, UsageError } from './options.ts';
import { jsonLine, table } from './report.ts';

const EXIT_MISSED = 1;
const EXIT_USAGE = 2;
const EXIT_BY_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const;

// An exit, unlike a signal, takes the processes and files of the run along.
for (const [signal, exitCode] of Object.entries(EXIT_BY_SIGNAL)) process.once(signal, () => process.exit(exitCode));

try {
  const options = parseOptions(process.argv.slice(2), FIGURES);
  if (options.isHelp) process.stdout.write(helpText(FIGURES));
  else process.exitCode = (await run(options)) ? 0 : EXIT_MISSED;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`bench: ${error.message}\nTry: npm run bench -- --help`);
  process.exitCode = EXIT_USAGE;
}

/** @returns whether every figure was measured and meets its target */
async function run({ figures, plan, isJson }: Options): Promise<boolean> {
  let figure = '';
  await using bench = new Bench(plan, (message) => console.error(`${figure}: ${message}`));
  if (isShortened(plan)) console.error('note: shorter than what counts, so these figures are for trying out only');
  const results: Result[] = [];
  for (const wanted of figures) {
    figure = wanted.name;
    try {
      const result = { figure: wanted, ...(await wanted.measure(bench)) };
      results.push(result);
      if (isJson) console.log(jsonLine(result));
    } catch (error) {
      console.error(`${figure}: failed:`, error);
    }
  }
  if (!isJson && results.length > 0) process.stdout.write(`\n${table(results)}`);
  const failed = figures.filter((wanted) => !results.some((result) => result.figure === wanted));
  const missed = results.filter((result) => !meetsTarget(result));
  if (failed.length > 0) console.error(`not measured: ${failed.map(({ name }) => name).join(', ')}`);
  if (missed.length > 0) console.error(`targets missed: ${missed.map(({ figure: { name } }) => name).join(', ')}`);
  return failed.length === 0 && missed.length === 0;
}
