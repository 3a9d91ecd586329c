import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By default one core is left over: on a small machine that is half of it. */
const maxWorkers = '100%';

/** To import the modules anew for each file takes as long as the tests; none of them keeps state that tests can see. */
const isolate = false;

/** Files that take long although they are short; begun last, one of them would keep the other workers waiting. */
const DEAREST = [
  'nodes/certified-year',
  'nodes/simulated-year',
  'registry/roles.test',
  'registry/audit.test',
  'nodes/',
  'http/federation/resolve-',
];

class DearestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = DEAREST.findIndex((part) => moduleId.includes(`/test/${part}`));
      return found === -1 ? DEAREST.length : found;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: DearestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/interop/**'],
          globalSetup: ['test/support/postgres.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers,
          isolate,
        },
      },
      {
        test: {
          name: 'interop',
          include: ['test/interop/**/*.test.ts'],
          globalSetup: ['test/support/postgres.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
