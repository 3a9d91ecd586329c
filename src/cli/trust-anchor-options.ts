/** Options that name Trust Anchors with their keys, for commands that judge by themselves. */
import type { Command } from 'commander';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { JwkSet } from '../federation/jwk-set.ts';
import type { TrustAnchors } from '../federation/trust-chain/trust-chain.ts';
import { readAnchorKeys } from './anchor/anchor-keys.ts';
import { CommandError } from './command-error.ts';
import { repeatable } from './option-values.ts';
import { parseNamedEntity } from './outbound-options.ts';
import type { LocalSession } from './session.ts';

export interface TrustAnchorOptions {
  anchor: string[];
  anchorJwks: string[];
}

export function addTrustAnchorOptions(command: Command): Command {
  return command
    .requiredOption('--anchor <entity-identifier>', 'a Trust Anchor; may be repeated, each with its keys', repeatable)
    .requiredOption(
      '--anchor-jwks <file>',
      'its JWK Set, or its Entity Configuration; - is standard input',
      repeatable,
    );
}

/** @throws CommandError usage */
export async function readTrustAnchors(
  { anchor: anchors, anchorJwks: files }: TrustAnchorOptions,
  session: LocalSession,
): Promise<TrustAnchors> {
  const { allowHttp, output } = session;
  if (anchors.length !== files.length) {
    throw new CommandError('usage', 'every --anchor needs its --anchor-jwks, in the same order');
  }
  const trustAnchors = new Map<EntityIdentifier, JwkSet>();
  for (const [index, given] of anchors.entries()) {
    const anchor = parseNamedEntity(given, allowHttp);
    const { jwks, warning } = await readAnchorKeys({ anchor, file: files[index] ?? '', allowHttp }, session);
    if (warning !== undefined) output.warn(warning);
    trustAnchors.set(anchor, jwks);
  }
  return trustAnchors;
}
