/** When something ends, as a person writes it. */
import { moment } from '../moment-option.ts';

export interface End {
  /** null: never. */
  expiresAt: string | null;
}

/** A day or a moment in UTC, or `never`. @throws InvalidArgumentError */
export function endTime(value: string): End {
  return { expiresAt: moment(value).at };
}
