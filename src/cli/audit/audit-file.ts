/** The audit from an export: NDJSON as `holdfast audit export` and the API write it, read line by line. */
import { createReadStream } from 'node:fs';
import { FederationError } from '../../federation/errors.ts';
import { isJsonObject, parseJson } from '../../federation/json.ts';
import type { ChainToVerify } from '../../registry/audit/verify-chain.ts';
import { type AuditContents, type ChainedAuditRow, parseStoredJson } from '../../storage/audit-chain.ts';
import { CommandError } from '../command-error.ts';
import { causeText, nameOf } from '../input-file.ts';
import type { Surroundings } from '../surroundings.ts';
import type { KeptCheckpoint } from './checkpoint-files.ts';

/** Metadata within evidence within a row. */
const MAX_DEPTH = 100;
const BATCH_SIZE = 1_000;

type AuditLine = ChainedAuditRow & { previousHash: string };

/**
 * The file as something to verify; it begins where the export began.
 * @param checkpoints none may be of a change before that, of which the file says nothing
 * @throws CommandError usage, also while it is read
 */
export async function openAuditFile(
  file: string,
  { stdin }: Pick<Surroundings, 'stdin'>,
  checkpoints: readonly KeptCheckpoint[] = [],
): Promise<Pick<ChainToVerify, 'rows' | 'previousHash' | 'afterSeq'>> {
  const lines = auditLines(file, file === '-' ? stdin : createReadStream(file));
  const first = await lines.next();
  if (first.done === true) return { rows: batchesOf([], lines), previousHash: '', afterSeq: 0 };
  const { previousHash, contents } = first.value;
  const afterSeq = contents.seq - 1;
  const early = checkpoints.find(({ seq }) => seq < afterSeq);
  if (early !== undefined) {
    await lines.return(undefined);
    const where = `${nameOf(file)} begins with change ${contents.seq} only`;
    const message = `the checkpoint ${nameOf(early.file)} is of change ${early.seq}, and ${where}: it proves nothing of that`;
    const hint = 'Verify with a later checkpoint, or an export that begins earlier.';
    throw new CommandError('usage', message, { code: 'checkpoint_before_file', hint });
  }
  return { rows: batchesOf([first.value], lines), previousHash, afterSeq };
}

async function* batchesOf(
  begun: ChainedAuditRow[],
  lines: AsyncIterable<AuditLine>,
): AsyncGenerator<ChainedAuditRow[]> {
  let batch = begun;
  for await (const line of lines) {
    batch.push(line);
    if (batch.length < BATCH_SIZE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function* auditLines(file: string, input: NodeJS.ReadableStream): AsyncGenerator<AuditLine, void, void> {
  let number = 0;
  try {
    for await (const line of linesOf(input)) {
      number++;
      if (line !== '') yield parseLine(line);
    }
  } catch (error) {
    const [code, problem] =
      error instanceof FederationError
        ? ['file_invalid', `line ${number} of ${nameOf(file)} is no row of an audit: ${error.message}`]
        : ['file_unreadable', `cannot read ${nameOf(file)}: ${causeText(error)}`];
    throw new CommandError('usage', problem, { code, cause: error });
  }
}

/** A line ends with a line feed, and with nothing else that somebody may have written into a text. */
async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<string> {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of input) {
    const lines = (rest + (typeof chunk === 'string' ? chunk : utf8.decode(chunk, { stream: true }))).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest + utf8.decode();
}

/** What a member of a row may be, and whether it may be null. */
const MEMBERS: Readonly<Record<keyof AuditContents | 'hash' | 'previousHash', (value: unknown) => boolean>> = {
  seq: Number.isSafeInteger,
  ordinal: Number.isSafeInteger,
  at: isText,
  actor: isJsonObject,
  action: isText,
  authorityId: orNull(isText),
  subjectKind: isText,
  subjectId: isText,
  before: orNull(isJsonObject),
  after: orNull(isJsonObject),
  reason: orNull(isText),
  requestId: orNull(isText),
  previousHash: isText,
  hash: isText,
};

/** @throws FederationError */
function parseLine(line: string): AuditLine {
  const row = parseJson(line, MAX_DEPTH);
  if (!isJsonObject(row)) throw new FederationError('json_malformed', 'it is not a JSON object');
  for (const [member, isValid] of Object.entries(MEMBERS)) {
    if (!isValid(row[member])) throw new FederationError('claim_invalid', `its member ${member} is missing or wrong`);
  }
  const other = Object.keys(row).find((member) => !Object.hasOwn(MEMBERS, member));
  if (other !== undefined) throw new FederationError('claim_invalid', `no row has a member ${JSON.stringify(other)}`);
  if (typeof parseStoredJson(line) === 'string') {
    throw new FederationError('claim_invalid', 'it has a number in a spelling that none of ours has');
  }
  const { previousHash, hash, ...contents } = row;
  return { contents: contents as AuditContents, hash: String(hash), previousHash: String(previousHash) };
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function orNull(isValid: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => value === null || isValid(value);
}
