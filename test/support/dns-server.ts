/** A DNS server on loopback that answers as a test says: addresses, texts, no such name, or nothing at all. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Addresses of both families; none for a name without any; what is not in the zone does not exist. */
export type Zone = Readonly<
  Record<string, readonly string[] | { texts: readonly string[] } | 'silent' | 'silent for IPv6' | 'failing'>
>;

const TYPES: Readonly<Record<number, 'ipv4' | 'ipv6' | 'text'>> = { 1: 'ipv4', 16: 'text', 28: 'ipv6' };
const MAX_STRING_BYTES = 255;
const [NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME] = [0, 2, 3];
const HEADER_BYTES = 12;

/** @example await using server = await serveDns({ 'partner.example': ['127.0.0.2'], 'dead.example': 'silent' }); */
export async function serveDns(zone: Zone): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const server = new DnsServer(socket, zone);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return server;
}

export class DnsServer implements AsyncDisposable {
  /** Names asked for, in order of arrival. */
  readonly names: string[] = [];
  readonly #socket: Socket;
  readonly #zone: Zone;

  constructor(socket: Socket, zone: Zone) {
    this.#socket = socket;
    this.#zone = zone;
    socket.on('message', (query, from) => {
      const response = this.#respond(query);
      if (response !== undefined) socket.send(response, from.port, from.address);
    });
  }

  /** As a name server of a resolver. */
  get address(): string {
    const { port } = this.#socket.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }

  #respond(query: Buffer): Buffer | undefined {
    const { name, type, end } = questionOf(query);
    this.names.push(name);
    const known = this.#zone[name];
    if (known === 'silent' || (known === 'silent for IPv6' && type === 'ipv6')) return undefined;
    if (known === 'failing') return message(query, end, SERVER_FAILURE, []);
    if (known === undefined) return message(query, end, NO_SUCH_NAME, []);
    if (typeof known === 'object' && 'texts' in known) {
      const texts = type === 'text' ? known.texts : [];
      return message(
        query,
        end,
        NO_ERROR,
        texts.map((text) => answer(query, stringsOf(text))),
      );
    }
    const addresses = known === 'silent for IPv6' ? ['127.0.0.1'] : known;
    const parsed = addresses.map((address) => ipaddr.parse(address)).filter((address) => address.kind() === type);
    return message(
      query,
      end,
      NO_ERROR,
      parsed.map((address) => answer(query, Buffer.from(address.toByteArray()))),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

/** A text as a record holds it: in strings of 255 bytes at most, each after its length. */
function stringsOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  const strings = Array.from({ length: Math.max(1, Math.ceil(bytes.length / MAX_STRING_BYTES)) }, (_, index) =>
    bytes.subarray(index * MAX_STRING_BYTES, (index + 1) * MAX_STRING_BYTES),
  );
  return Buffer.concat(strings.flatMap((string) => [Buffer.from([string.length]), string]));
}

function questionOf(query: Buffer): { name: string; type: 'ipv4' | 'ipv6' | 'text' | undefined; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: TYPES[query.readUInt16BE(at + 1)], end: at + 5 };
}

/** Header with the query's id, its question, and the answers. */
function message(query: Buffer, questionEnd: number, code: number, answers: readonly Buffer[]): Buffer {
  const head = Buffer.from(query.subarray(0, questionEnd));
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(answers.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...answers]);
}

/** A record for the name of the question, with its type, for a minute. */
function answer(query: Buffer, data: Buffer): Buffer {
  const { end } = questionOf(query);
  const record = Buffer.alloc(12);
  record.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  query.copy(record, 2, end - 4, end);
  record.writeUInt32BE(60, 6);
  record.writeUInt16BE(data.length, 10);
  return Buffer.concat([record, data]);
}
