/** How a person calls this program here, so that printed commands can be typed as they stand. */
import path from 'node:path';

export interface Invocation {
  /** This source file, or what it was built into. */
  file: string;
  workingDirectory: string;
  /** What npm was asked to do, if npm started this. */
  npmCommand: string | undefined;
}

/**
 * The name to type. Below the folder of a clone npm finds the program, which is not on PATH; an installed one is called
 * as it was called this time; from elsewhere a clone is called by a name that its owner gave it.
 */
export function nameToType({ file, workingDirectory, npmCommand }: Invocation): 'npx holdfast' | 'holdfast' {
  const root = path.resolve(path.dirname(file), '../..');
  const isClone = file.endsWith('.ts');
  const isByNpm = isClone ? `${workingDirectory}/`.startsWith(`${root}/`) : npmCommand === 'exec';
  return isByNpm ? 'npx holdfast' : 'holdfast';
}

export const HOLDFAST = nameToType({
  file: import.meta.filename,
  workingDirectory: process.cwd(),
  npmCommand: process.env['npm_command'],
});

/** Commands in backticks or at a prompt, in the form that works here. */
export function asTyped(text: string, name: string = HOLDFAST): string {
  return text.replace(/(?<=`|\$ (?:\w+=\S+ )*|\$\()holdfast (?=[a-z])/g, `${name} `);
}
