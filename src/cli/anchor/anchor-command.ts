/** `holdfast anchor`: Trust Anchors of others, with pinned keys. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addAnchorAddCommand } from './add.ts';
import { addAnchorFetchCommand } from './fetch.ts';
import { addAnchorListCommand } from './list.ts';
import { addAnchorRemoveCommand } from './remove.ts';
import { addAnchorReplaceKeysCommand } from './replace-keys.ts';
import { addAnchorShowCommand } from './show.ts';

export function addAnchorCommand(program: Command, surroundings: Surroundings): void {
  const anchor = program
    .command('anchor')
    .summary('Trust Anchors of others, with pinned keys')
    .description(
      'Trust Anchors of others that our authorities resolve towards. Their keys are pinned: they are believed because\n' +
        'a person compared them, never because they came over the network.',
    )
    .addHelpText(
      'after',
      example(
        'holdfast anchor fetch https://fed.example.org --out fed-keys.json',
        '# compare the thumbprints, then:',
        'holdfast anchor add https://fed.example.org --anchor-jwks fed-keys.json',
      ),
    );
  addAnchorFetchCommand(anchor, surroundings);
  addAnchorAddCommand(anchor, surroundings);
  addAnchorListCommand(anchor, surroundings);
  addAnchorShowCommand(anchor, surroundings);
  addAnchorReplaceKeysCommand(anchor, surroundings);
  addAnchorRemoveCommand(anchor, surroundings);
}
