/** A partner's answer to a challenge, as `holdfast configuration prove` writes it. */
import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { nameOf, readJsonInput } from '../input-file.ts';
import type { Surroundings } from '../surroundings.ts';

const handedOverSchema = z.strictObject({
  entityIdentifier: z.string(),
  jwks: z.looseObject({ keys: z.array(z.looseObject({})) }),
  challenge: z.string(),
  keyProofs: z.array(z.string()),
});

export type HandedOver = z.infer<typeof handedOverSchema>;

/**
 * @param identifier whom it must be about, if that is known
 * @throws CommandError usage
 */
export async function readHandedOver(
  file: string,
  identifier: string | undefined,
  surroundings: Pick<Surroundings, 'stdin'>,
): Promise<HandedOver> {
  const parsed = handedOverSchema.safeParse(await readJsonInput(file, surroundings));
  if (!parsed.success) {
    throw new CommandError('usage', `${nameOf(file)} is no answer to a challenge: ${z.prettifyError(parsed.error)}`, {
      hint: 'The partner makes it with `holdfast configuration prove`.',
      code: 'file_invalid',
    });
  }
  if (identifier !== undefined && identifier !== parsed.data.entityIdentifier) {
    throw new CommandError('usage', `${nameOf(file)} is about ${parsed.data.entityIdentifier}, not ${identifier}`);
  }
  return parsed.data;
}
