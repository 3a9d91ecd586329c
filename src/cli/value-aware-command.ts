/** Commands that tell a thumbprint from an option. */
import { Command } from 'commander';

/** Of SHA-256 in base64url (RFC 7638 §3); one in 64 begins as an option does. */
const HYPHENATED_THUMBPRINT = /^-[\w-]{42}$/;

/** Private use (Unicode, plane 0), so that nobody types it. */
const MASK = '\uE000';

/** A kid that people copy from our output is an argument, whatever it begins with: nobody has to know of `--`. */
export class ValueAwareCommand extends Command {
  override createCommand(name?: string): Command {
    return new ValueAwareCommand(name);
  }

  override parseOptions(args: string[]): { operands: string[]; unknown: string[] } {
    // The value of an option is taken as it is.
    const isValue = (index: number) => {
      const before = args[index - 1];
      return this.options.some(({ required, long, short }) => required && (long === before || short === before));
    };
    const masked = (arg: string, index: number) =>
      HYPHENATED_THUMBPRINT.test(arg) && !isValue(index) ? MASK + arg : arg;
    const { operands, unknown } = super.parseOptions(args.map(masked));
    const unmasked = (arg: string) => (arg.startsWith(MASK) ? arg.slice(MASK.length) : arg);
    return { operands: operands.map(unmasked), unknown: unknown.map(unmasked) };
  }
}
