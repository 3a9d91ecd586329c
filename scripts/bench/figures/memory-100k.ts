/** Memory of the service that has many statements at hand. */
import type { Figure } from '../figure.ts';
import { deploymentOf100k } from '../service/deployment.ts';

export const memory100k: Figure = {
  name: 'memory_100k',
  summary:
    'peak resident memory of npm start on PostgreSQL after 100,000 statements of 1 KB were signed and served once',
  unit: 'MB',
  target: 450,
  better: 'lower',
  async measure(bench) {
    const { peakMemoryBytes } = await bench.shared(deploymentOf100k);
    return { value: peakMemoryBytes / 1e6 };
  },
};
