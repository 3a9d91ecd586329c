/**
 * One gzip member put together of pieces that were deflated each for itself, so that a change of one piece costs no
 * compression of the others. @see RFC 1951 §3.2.4 (an empty stored block ends on a byte), RFC 1952 §2.3
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, deflateRawSync } from 'node:zlib';

/** A text that stands anywhere in a member: it refers to nothing before it, and ends on a byte without ending the data. */
export interface DeflatedPiece {
  deflated: Buffer;
  /** SHA-256 over `deflated`. */
  digest: Buffer;
  /** Of the text itself, in bytes. */
  length: number;
  crc: number;
}

const deflate = promisify(deflateRaw);

const OPEN_END = { finishFlush: constants.Z_FULL_FLUSH };

/** In a thread of its own: nobody else waits. */
export async function deflatePiece(text: string): Promise<DeflatedPiece> {
  const plain = Buffer.from(text);
  return pieceOf(plain, (await deflate(plain, OPEN_END)) as Buffer);
}

/** Of a few bytes. */
export function smallPiece(text: string): DeflatedPiece {
  const plain = Buffer.from(text);
  return pieceOf(plain, deflateRawSync(plain, OPEN_END));
}

function pieceOf(plain: Buffer, deflated: Buffer): DeflatedPiece {
  const digest = createHash('sha256').update(deflated).digest();
  return { deflated, digest, length: plain.length, crc: crc32(plain) };
}

export interface GzipMember {
  /** The bytes, in order. */
  chunks: readonly Buffer[];
  /** Of all chunks together. */
  length: number;
  plainLength: number;
  /** Differs where any byte does. */
  digest: string;
}

/** No name, no time, no system: the same pieces are the same bytes. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** The last block: fixed codes, empty. */
const END = Buffer.from([3, 0]);

export function gzipMember(pieces: readonly DeflatedPiece[]): GzipMember {
  const hash = createHash('sha256');
  let [length, plainLength, crc] = [HEADER.length, 0, 0];
  for (const piece of pieces) {
    hash.update(piece.digest);
    length += piece.deflated.length;
    plainLength += piece.length;
    crc = combinedCrc(crc, piece.crc, piece.length);
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(plainLength % 2 ** 32, 4);
  const ending = Buffer.concat([END, trailer]);
  return {
    chunks: [HEADER, ...pieces.map(({ deflated }) => deflated), ending],
    length: length + ending.length,
    plainLength,
    digest: hash.digest('base64url'),
  };
}

/** The polynomial of CRC-32, its bits in reverse. */
const POLYNOMIAL = 0xedb88320;

/** The product of two polynomials over GF(2), modulo that of CRC-32. */
function product(one: number, other: number): number {
  let [sum, factor] = [0, other];
  for (let bit = 31; bit >= 0; bit--) {
    if ((one >>> bit) & 1) sum ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1;
  }
  return sum >>> 0;
}

/** x to the powers 2^0, 2^1 and so on. */
const POWERS: readonly number[] = Array.from({ length: 32 }).reduce<number[]>(
  (powers) => [...powers, powers.length === 0 ? 2 ** 30 : product(powers.at(-1) ?? 0, powers.at(-1) ?? 0)],
  [],
);

/** The CRC of two texts after each other, the second of so many bytes. */
function combinedCrc(first: number, second: number, length: number): number {
  let shift = 2 ** 31;
  // A byte has 2^3 bits.
  for (let [left, power] = [length, 3]; left > 0; left = Math.floor(left / 2), power++) {
    if (left % 2 === 1) shift = product(POWERS[power % 32] ?? 0, shift);
  }
  return (product(shift, first) ^ second) >>> 0;
}
