/** Resolving without the help of a resolve endpoint: from pinned keys and statements alone. */
import { z } from 'zod';
import type { Deployment } from './deployment.ts';
import { metadataSchema, type ResolvedEntity } from './federation-client.ts';
import type { Stage } from './stage.ts';
import { StoryError } from './story.ts';

export interface OwnResolution {
  resolved?: ResolvedEntity;
  /** Why Trust Marks that the entity shows do not count. */
  markRefusals?: string[];
  /** Why it was refused. */
  reason?: string;
  says: string;
}

const resolutionSchema = z.discriminatedUnion('resolved', [
  z.looseObject({
    resolved: z.literal(true),
    metadata: metadataSchema,
    chain: z.array(z.looseObject({ iss: z.string() })),
    trustMarks: z.array(z.looseObject({ trust_mark_type: z.string() })),
    refusedTrustMarks: z.array(z.looseObject({ reason: z.string() })),
  }),
  z.looseObject({
    resolved: z.literal(false),
    attempts: z.array(z.looseObject({ chain: z.array(z.string()), reason: z.string() })),
  }),
]);

/** `holdfast resolve`: asks everybody on the way and believes the pinned keys only. */
export async function resolveAlone(
  stage: Stage,
  { trustAnchor, anchorKeysFile }: Pick<Deployment, 'trustAnchor' | 'anchorKeysFile'>,
  subject: string,
): Promise<OwnResolution> {
  const command = ['resolve', subject, '--anchor', trustAnchor.entityIdentifier, '--anchor-jwks', anchorKeysFile];
  const { exitCode, stdout, stderr } = await stage.run([...command, '--json']);
  if (stdout === '') throw new StoryError(`holdfast resolve exited with ${exitCode}: ${stderr.trim()}`);
  const outcome = resolutionSchema.parse(JSON.parse(stdout));
  if (!outcome.resolved) {
    const reason = outcome.attempts[0]?.reason;
    return { says: `exit code ${exitCode}, ${reason}`, reason };
  }
  const way = [...new Set(outcome.chain.map(({ iss }) => iss))];
  const trustMarks = outcome.trustMarks.map(({ trust_mark_type: type }) => type);
  const markRefusals = outcome.refusedTrustMarks.map(({ reason: why }) => why);
  const says = `exit code ${exitCode}`;
  return exitCode === 0 ? { says, resolved: { metadata: outcome.metadata, way, trustMarks }, markRefusals } : { says };
}

/** A value of metadata in a table. */
export function valueText(value: unknown): string {
  if (value === undefined) return '(nothing)';
  return Array.isArray(value) ? value.join(' ') : String(value);
}
