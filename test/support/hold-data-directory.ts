/** A process of its own that opens the embedded database in the directory given, and keeps it open until killed. */
import { connectDatabase } from '../../src/storage/connect.ts';

const [dataDir = ''] = process.argv.slice(2);
try {
  await connectDatabase({ dataDir });
  process.stdout.write('open\n');
  process.stdin.resume();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? `${error.name}: ${error.message}` : error}\n`);
  process.exitCode = 1;
}
