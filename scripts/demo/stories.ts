/** The stories that the demo can tell; the first one is told when none is named. */
import { directory } from './directory/directory.ts';
import { mainJob } from './main-job/main-job.ts';
import { perimeter } from './perimeter/perimeter.ts';
import type { Story } from './story.ts';

export const STORIES: readonly [Story, ...Story[]] = [mainJob, directory, perimeter];
