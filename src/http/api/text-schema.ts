/** Schemas of texts that people write and read. */
import { z } from '@hono/zod-openapi';

const CONTROL = /\p{Cc}/u;
const CONTROL_BUT_LAYOUT = /[^\P{Cc}\t\r\n]/u;
const LINE_SEPARATOR = /[\u2028\u2029]/;

/** One line with something visible in it. */
export function line(maxLength: number): z.ZodString {
  const isLine = (text: string) => text.trim() !== '' && !CONTROL.test(text) && !LINE_SEPARATOR.test(text);
  return z.string().min(1).max(maxLength).refine(isLine, 'is one line of text, not blank');
}

/** Lines with something visible in them. */
function lines(maxLength: number): z.ZodString {
  const isText = (text: string) => text.trim() !== '' && !CONTROL_BUT_LAYOUT.test(text);
  return z.string().min(1).max(maxLength).refine(isText, 'is text, not blank, without control characters');
}

export const NameSchema = line(200);

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

export const TimeSchema = z.iso.datetime().openapi({ example: '2027-01-15T08:00:00.000Z' });
