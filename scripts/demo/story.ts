/** What a story of the demo is. */
import type { Stage } from './stage.ts';

/** What a story sets out to show, by name: false or null until it was seen to happen. */
export type Findings = Record<string, boolean | number | null>;

export interface Story {
  /** As it is named on the command line. */
  name: string;
  /** One line for the help. */
  summary: string;
  /** The findings before anything has happened; their names and order are the JSON line's. */
  nothingFound: () => Findings;
  /**
   * Tells the story and writes down in `findings` what was observed.
   * @returns what a person can do with all that is running now
   * @throws StoryError when it cannot go on
   */
  tell: (stage: Stage, findings: Findings) => Promise<Playground>;
}

export interface Playground {
  /** Names and values to know: URLs, files. */
  facts: [name: string, value: string][];
  /** Commands that work as they stand. */
  commands: string[];
}

/** Why a story cannot go on, in words for whoever watches it. */
export class StoryError extends Error {
  override readonly name = 'StoryError';
}

/** Whether everything that the story sets out to show has happened. */
export function isEverythingFound(findings: Findings): boolean {
  return Object.values(findings).every((finding) => finding !== false && finding !== null);
}
