/** Schemas of texts that people write and read. */
import { z } from '@hono/zod-openapi';
import { isLine, isText, isUndisguised } from '../../registry/plain-text.ts';

const UNDISGUISED: [(text: string) => boolean, string] = [
  isUndisguised,
  'has characters that are invisible or turn the direction of text',
];

/** One line with something visible in it. */
export function line(maxLength: number): z.ZodString {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .refine(isLine, 'is one line of text, not blank')
    .refine(...UNDISGUISED);
}

/** Lines with something visible in them. */
function lines(maxLength: number): z.ZodString {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .refine(isText, 'is text, not blank, without control characters')
    .refine(...UNDISGUISED);
}

export const NameSchema = line(200);

/** A word for machines and people, such as `payments` or `pre-production`. */
export const TokenSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, 'is a word of up to 64 ASCII letters, digits, and . _ : -');

export const ReasonSchema = lines(2000).openapi({
  description: 'Why; kept in the audit for good.',
  example: 'Contract 2027-113 signed, keys compared by telephone.',
});

/** Of what the subordinate events endpoint tells. */
export const PublicReasonSchema = lines(2000).openapi({
  description:
    'Why; kept in the audit for good, and public: it stands in the history of the entity (subordinate events).',
  example: 'Key lost with a stolen server.',
});

export const OutOfBandCheckSchema = lines(2000).openapi({
  description: "How a person made sure that the keys are the partner's.",
  example: 'Called +44 20 7946 0123 from the contract; read both thumbprints to each other.',
});

/** Shown with a domain name, so that a disguise shows. */
export const InternationalDomainSchema = z
  .object({
    unicode: z.string().openapi({ description: 'The name as people read it.', example: 'b\u0430nk.example' }),
    scripts: z.array(z.string()).openapi({ example: ['Latin', 'Cyrillic'] }),
    isMixed: z.boolean().openapi({ description: 'Whether a label mixes scripts that no language writes together.' }),
  })
  .nullable()
  .openapi('InternationalDomain', {
    description: 'What stands behind the `xn--` of its domain, and of which scripts; null for a name in ASCII.',
  });

/** Years before 100 are other ones to databases and runtimes, or none. */
export const TimeSchema = z.iso
  .datetime()
  .refine((time) => time >= '1000', 'is before the year 1000')
  .openapi({ example: '2027-01-15T08:00:00.000Z' });
