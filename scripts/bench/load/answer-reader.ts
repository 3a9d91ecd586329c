/** Reads pipelined HTTP/1.1 answers off a connection; heads that look like the one before are not taken apart again. */

/** What every answer of a load must look like: one status, and a body of one size, unless sizes differ by nature. */
export interface AnswerShape {
  headBytes: number;
  bodyBytes: number;
  /** Where in the head the digits of Content-Length are, and these digits. */
  lengthOffset: number;
  lengthDigits: Buffer;
}

/** Called for each complete answer; with its body if that was asked for and arrived in one piece. */
export type OnAnswer = (body: Buffer | undefined) => void;

const CRLF_CRLF = 0x0a0d0a0d;
/** 200, or 304, which has no body. */
export type ExpectedStatus = 200 | 304;

const STATUS_BYTES: Readonly<Record<ExpectedStatus, number>> = { 200: 0x20303032, 304: 0x20343033 };
const STATUS_OFFSET = 'HTTP/1.1 '.length;
const MAX_HEAD_BYTES = 16_384;

export class AnswerReader {
  readonly #onAnswer: OnAnswer;
  readonly #wantsBody: () => boolean;
  readonly #status: ExpectedStatus;
  readonly #isOfAnySize: boolean;
  #shape: AnswerShape | undefined;
  /** Bytes of a head whose end has not arrived. */
  #rest: Buffer | undefined;
  #bodyBytesLeft = 0;

  constructor(onAnswer: OnAnswer, wantsBody: () => boolean, status: ExpectedStatus = 200, isOfAnySize = false) {
    this.#onAnswer = onAnswer;
    this.#wantsBody = wantsBody;
    this.#status = status;
    this.#isOfAnySize = isOfAnySize;
  }

  /** Takes what arrived; the bytes may be overwritten afterwards. @throws Error when an answer is not as it should be */
  read(arrived: Buffer): void {
    const bytes = this.#rest === undefined ? arrived : Buffer.concat([this.#rest, arrived]);
    this.#rest = undefined;
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#bodyBytesLeft > 0) {
        const taken = Math.min(this.#bodyBytesLeft, bytes.length - offset);
        this.#bodyBytesLeft -= taken;
        offset += taken;
        if (this.#bodyBytesLeft === 0) this.#onAnswer(undefined);
        continue;
      }
      const shape = this.#shapeAt(bytes, offset);
      if (shape === undefined) {
        this.#rest = Buffer.from(bytes.subarray(offset));
        return;
      }
      offset += shape.headBytes;
      offset += this.#beginBody(shape, bytes, offset);
    }
  }

  /** @returns bytes of the body consumed: all if they are here */
  #beginBody({ bodyBytes }: AnswerShape, bytes: Buffer, start: number): number {
    if (start + bodyBytes > bytes.length) {
      this.#bodyBytesLeft = bodyBytes;
      return 0;
    }
    this.#onAnswer(this.#wantsBody() ? bytes.subarray(start, start + bodyBytes) : undefined);
    return bodyBytes;
  }

  /** The shape of the head that begins here; undefined while it is incomplete. */
  #shapeAt(bytes: Buffer, start: number): AnswerShape | undefined {
    if (this.#shape !== undefined && fits(this.#shape, this.#status, bytes, start)) return this.#shape;
    const end = bytes.indexOf('\r\n\r\n', start, 'latin1');
    if (end === -1) {
      if (bytes.length - start > MAX_HEAD_BYTES) throw new Error('the server sends something else than HTTP answers');
      return undefined;
    }
    const shape = parseHead(bytes.toString('latin1', start, end + 4), this.#status);
    if (!this.#isOfAnySize && this.#shape !== undefined && shape.bodyBytes !== this.#shape.bodyBytes) {
      throw new Error(`a body of ${shape.bodyBytes} bytes instead of ${this.#shape.bodyBytes}`);
    }
    this.#shape = shape;
    return shape;
  }
}

/** Whether a head of exactly this shape begins here: status, length and end are all that count. */
function fits(
  { headBytes, lengthOffset, lengthDigits }: AnswerShape,
  status: ExpectedStatus,
  bytes: Buffer,
  start: number,
): boolean {
  if (start + headBytes > bytes.length) return false;
  if (bytes.readUInt32LE(start + STATUS_OFFSET) !== STATUS_BYTES[status]) return false;
  if (bytes.readUInt32LE(start + headBytes - 4) !== CRLF_CRLF) return false;
  for (let index = 0; index < lengthDigits.length; index++) {
    if (bytes[start + lengthOffset + index] !== lengthDigits[index]) return false;
  }
  return true;
}

const CONTENT_LENGTH = /\r\ncontent-length: (\d+)\r\n/i;

/** @throws Error unless it has the status and, where there is a body, a Content-Length */
function parseHead(head: string, status: ExpectedStatus): AnswerShape {
  const [statusLine] = head.split('\r\n', 1);
  if (!head.startsWith(`HTTP/1.1 ${status} `)) throw new Error(`answered with ${statusLine} instead of ${status}`);
  if (status === 304) return { headBytes: head.length, bodyBytes: 0, lengthOffset: 0, lengthDigits: Buffer.alloc(0) };
  const match = CONTENT_LENGTH.exec(head);
  if (match?.[1] === undefined) throw new Error('answered without a Content-Length');
  const digits = match[1];
  return {
    headBytes: head.length,
    bodyBytes: Number(digits),
    // With the line break that follows them, so that no longer number fits.
    lengthOffset: match.index + match[0].length - digits.length - 2,
    lengthDigits: Buffer.from(`${digits}\r\n`, 'latin1'),
  };
}
