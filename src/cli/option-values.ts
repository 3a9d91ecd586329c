/** Parsers of option values that several commands share. */
import { InvalidArgumentError } from 'commander';

/** Collects an option that may be given several times. */
export function repeatable(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** @throws InvalidArgumentError */
export function positiveInteger(value: string): number {
  const parsed = Number(value);
  if (/^\d{1,15}$/.test(value) && parsed > 0) return parsed;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}

/** @throws InvalidArgumentError */
export function wholeNumber(value: string): number {
  return value === '0' ? 0 : positiveInteger(value);
}

/** Of a number with a word for none, or for the default. The parser throws InvalidArgumentError. */
export function positiveIntegerOr<Word extends string>(word: Word): (value: string) => number | Word {
  return (value) => {
    if (value === word) return word;
    try {
      return positiveInteger(value);
    } catch {
      throw new InvalidArgumentError(`It must be a whole number above 0, or ${word}.`);
    }
  };
}

/** Such a number as the API takes it. */
export function nullForWord(value: number | string | undefined): number | null | undefined {
  return typeof value === 'string' ? null : value;
}

/** An `If-Match` version as a person copies it: `3` or `"3"`. @throws InvalidArgumentError */
export function recordVersion(value: string): number {
  return positiveInteger(value.replace(/^"(.*)"$/, '$1'));
}

export interface ContactInput {
  type: string;
  name?: string;
  email: string;
}

const CONTACT_TYPES = ['business', 'technical', 'security', 'incident', 'billing'];

/** One of the types of contacts, several times. @throws InvalidArgumentError */
export function contactType(value: string, previous: string[] | false | undefined): string[] {
  if (!CONTACT_TYPES.includes(value)) throw new InvalidArgumentError(`The types are ${CONTACT_TYPES.join(', ')}.`);
  return [...(previous || []), value];
}

/** `technical=ops@example.org` or `technical=Jo Doe <jo@example.org>`, several times. @throws InvalidArgumentError */
export function contact(value: string, previous: ContactInput[] | undefined): ContactInput[] {
  const {
    type = '',
    name,
    address,
    email,
  } = /^(?<type>[a-z]+)=(?:(?<name>[^<>]*[^<>\s])\s*<(?<address>[^<>]+)>|(?<email>[^<>\s]+))$/.exec(value)?.groups ??
  {};
  if (!CONTACT_TYPES.includes(type)) {
    const example = 'technical=ops@example.org or "technical=Jo Doe <jo@example.org>"';
    throw new InvalidArgumentError(`Write it as ${example}; the types are ${CONTACT_TYPES.join(', ')}.`);
  }
  const contact = { type, email: address ?? email ?? '', ...(name === undefined ? {} : { name }) };
  return [...(previous ?? []), contact];
}
