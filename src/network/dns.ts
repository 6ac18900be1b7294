import type { Process } from '#base/pump.ts';
import { formatIPv4, parseIPv4 } from './address.ts';
import type { Endpoint, NetworkNamespace } from './network.ts';

/** Types of records that are known here; others are `TYPE65` and so on. */
const TYPES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  ANY: 255,
};
const TYPE_NAMES = new Map(Object.entries(TYPES).map(([name, number]) => [number, name]));

/** Response codes by number. */
export const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;
export type Rcode = (typeof RCODES)[number];

/** What is asked for. Names are absolute: they end with a dot. */
export interface DnsQuestion {
  readonly name: string;
  /** `A`, `SRV` …, or `TYPE65`. */
  readonly type: string;
}

interface RecordHead {
  readonly name: string;
  /** Seconds. */
  readonly ttl: number;
}

/** One record of an answer. */
export type DnsRecord = RecordHead &
  (
    | { readonly type: 'A'; readonly address: string }
    | { readonly type: 'CNAME' | 'NS' | 'PTR'; readonly target: string }
    | {
        readonly type: 'SRV';
        readonly priority: number;
        readonly weight: number;
        readonly port: number;
        readonly target: string;
      }
    | { readonly type: 'TXT'; readonly texts: readonly string[] }
    | {
        readonly type: 'SOA';
        readonly primary: string;
        readonly mailbox: string;
        readonly serial: number;
        readonly refresh: number;
        readonly retry: number;
        readonly expire: number;
        readonly minimum: number;
      }
    | { readonly type: 'OTHER'; readonly number: number; readonly data: Uint8Array }
  );

/** A query or its answer. */
export interface DnsMessage {
  readonly id: number;
  readonly response: boolean;
  /** 0 is a query; servers of ours know no other. */
  readonly opcode: number;
  readonly authoritative: boolean;
  /** More than a datagram holds: ask again over TCP. */
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly rcode: Rcode;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

/** What a datagram may hold without EDNS, bytes. */
export const MAX_DNS_DATAGRAM = 512;

/** A message that cannot be read, or a name that cannot be written. */
export class DnsError extends Error {
  override readonly name = 'DnsError';
}

/** A message's bytes as they are on the wire. Throws {@link DnsError} for names with labels that are empty or too long. */
export function encodeDns(message: DnsMessage): Uint8Array {
  const writer = new MessageWriter();
  const bit = (on: boolean, place: number) => (on ? 1 << place : 0);
  writer.uint16(message.id);
  writer.uint16(
    bit(message.response, 15) |
      (message.opcode << 11) |
      bit(message.authoritative, 10) |
      bit(message.truncated, 9) |
      bit(message.recursionDesired, 8) |
      bit(message.recursionAvailable, 7) |
      RCODES.indexOf(message.rcode),
  );
  const { questions, answers, authority, additional } = message;
  for (const section of [questions, answers, authority, additional]) writer.uint16(section.length);
  for (const { name, type } of questions) {
    writer.name(name);
    writer.uint16(typeNumber(type));
    writer.uint16(1);
  }
  for (const section of [answers, authority, additional]) for (const record of section) writer.record(record);
  return Uint8Array.from(writer.bytes);
}

/** Reads a message. Throws {@link DnsError}. */
export function decodeDns(bytes: Uint8Array): DnsMessage {
  const reader = new MessageReader(bytes);
  const id = reader.uint16();
  const flags = reader.uint16();
  const counts = [0, 0, 0, 0].map(() => reader.uint16());
  const times = <T>(count: number | undefined, read: () => T): T[] => Array.from({ length: count ?? 0 }, read);
  const questions = times(counts[0], () => {
    const name = reader.name();
    const type = typeName(reader.uint16());
    reader.uint16();
    return { name, type };
  });
  const bit = (place: number) => ((flags >> place) & 1) === 1;
  return {
    id,
    response: bit(15),
    opcode: (flags >> 11) & 15,
    authoritative: bit(10),
    truncated: bit(9),
    recursionDesired: bit(8),
    recursionAvailable: bit(7),
    rcode: RCODES[flags & 15] ?? 'SERVFAIL',
    questions,
    answers: times(counts[1], () => reader.record()),
    authority: times(counts[2], () => reader.record()),
    additional: times(counts[3], () => reader.record()),
  };
}

/**
 * Asks a name server, by UDP, and by TCP when the answer was cut; parks the calling task. Undefined when it did not answer
 * within `timeoutMs`, or with something else; throws NetworkError when it refuses. `name` need not end with a dot.
 */
export async function queryDns(
  by: Process,
  from: NetworkNamespace,
  server: Endpoint,
  name: string,
  type: string,
  timeoutMs: number,
): Promise<DnsMessage | undefined> {
  const deadline = by.clock.now() + timeoutMs;
  const id = by.rng.int(65_536);
  const question = { name: name.endsWith('.') ? name : `${name}.`, type };
  const query = encodeDns({
    id,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    rcode: 'NOERROR',
    questions: [question],
    answers: [],
    authority: [],
    additional: [],
  });
  const facts = { query: `${type} ${question.name}` };
  const bytes = await from.askDatagram(by, server, query, timeoutMs, facts, (answer) => ({
    rcode: answerTo(answer, id)?.rcode ?? 'FORMERR',
  }));
  const answer = bytes && answerTo(bytes, id);
  if (!answer?.truncated) return answer;
  const connection = await from.connect(by, server, deadline - by.clock.now(), facts);
  try {
    connection.setDeadline(deadline - by.clock.now());
    await connection.write(frameDns(query));
    const whole = await readDnsFrame(connection);
    const full = whole && answerTo(whole, id);
    if (full) connection.note({ rcode: full.rcode });
    return full;
  } finally {
    connection.close();
  }
}

/** A message as TCP carries it: its length goes first. */
export function frameDns(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(message.length + 2);
  framed[0] = message.length >> 8;
  framed[1] = message.length & 255;
  framed.set(message, 2);
  return framed;
}

/** The next message of a TCP connection; parks the calling task. Undefined at its end. */
export async function readDnsFrame(connection: {
  read(max?: number): Promise<Uint8Array | undefined>;
}): Promise<Uint8Array | undefined> {
  const take = async (length: number): Promise<Uint8Array | undefined> => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const more = await connection.read(length - at);
      if (!more) return undefined;
      bytes.set(more, at);
      at += more.length;
    }
    return bytes;
  };
  const length = await take(2);
  return length && take(((length[0] as number) << 8) | (length[1] as number));
}

function answerTo(bytes: Uint8Array, id: number): DnsMessage | undefined {
  try {
    const message = decodeDns(bytes);
    return message.response && message.id === id ? message : undefined;
  } catch (error) {
    if (!(error instanceof DnsError)) throw error;
    return undefined;
  }
}

function typeNumber(type: string): number {
  const number = TYPES[type] ?? Number(/^TYPE(\d+)$/.exec(type)?.[1] ?? Number.NaN);
  if (!(number >= 0 && number <= 65_535)) throw new DnsError(`unknown record type ${type}`);
  return number;
}

function typeName(number: number): string {
  return TYPE_NAMES.get(number) ?? `TYPE${number}`;
}

/** Writes names compressed: an ending that was written before is a pointer to it. */
class MessageWriter {
  readonly bytes: number[] = [];
  readonly #offsets = new Map<string, number>();

  uint16(value: number): void {
    this.bytes.push((value >> 8) & 255, value & 255);
  }

  uint32(value: number): void {
    this.uint16(value >>> 16);
    this.uint16(value & 65_535);
  }

  name(name: string): void {
    let rest = name.endsWith('.') ? name.slice(0, -1) : name;
    if (rest.length > 253) throw new DnsError(`name too long: ${name}`);
    while (rest !== '') {
      const key = rest.toLowerCase();
      const known = this.#offsets.get(key);
      if (known !== undefined) {
        this.uint16(0xc000 | known);
        return;
      }
      if (this.bytes.length < 0x4000) this.#offsets.set(key, this.bytes.length);
      const dot = rest.indexOf('.');
      const label = dot < 0 ? rest : rest.slice(0, dot);
      if (label.length === 0 || label.length > 63) throw new DnsError(`bad label in ${name}`);
      this.text(label);
      rest = dot < 0 ? '' : rest.slice(dot + 1);
    }
    this.bytes.push(0);
  }

  record(record: DnsRecord): void {
    this.name(record.name);
    this.uint16(record.type === 'OTHER' ? record.number : (TYPES[record.type] as number));
    this.uint16(1);
    this.uint32(record.ttl);
    const lengthAt = this.bytes.length;
    this.uint16(0);
    switch (record.type) {
      case 'A':
        this.uint32(parseIPv4(record.address) ?? 0);
        break;
      case 'CNAME':
      case 'NS':
      case 'PTR':
        this.name(record.target);
        break;
      case 'SRV':
        this.uint16(record.priority);
        this.uint16(record.weight);
        this.uint16(record.port);
        this.name(record.target);
        break;
      case 'TXT':
        for (const text of record.texts) this.text(text.slice(0, 255));
        break;
      case 'SOA':
        this.name(record.primary);
        this.name(record.mailbox);
        for (const value of [record.serial, record.refresh, record.retry, record.expire, record.minimum])
          this.uint32(value);
        break;
      case 'OTHER':
        for (const byte of record.data) this.bytes.push(byte);
    }
    const length = this.bytes.length - lengthAt - 2;
    this.bytes[lengthAt] = length >> 8;
    this.bytes[lengthAt + 1] = length & 255;
  }

  /** With its length before it. */
  text(text: string): void {
    this.bytes.push(text.length);
    for (let i = 0; i < text.length; i++) this.bytes.push(text.charCodeAt(i) & 255);
  }
}

class MessageReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  uint8(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new DnsError('message too short');
    return byte;
  }

  uint16(): number {
    return (this.uint8() << 8) | this.uint8();
  }

  uint32(): number {
    return this.uint16() * 65_536 + this.uint16();
  }

  name(): string {
    let name = '';
    let after: number | undefined;
    for (let jumps = 0; ; ) {
      const length = this.uint8();
      if (length === 0) break;
      if (length >= 0xc0) {
        const target = ((length & 0x3f) << 8) | this.uint8();
        after ??= this.#at;
        if (++jumps > 64) throw new DnsError('too many pointers in a name');
        this.#at = target;
        continue;
      }
      name += `${this.text(length)}.`;
      if (name.length > 255) throw new DnsError('name too long');
    }
    if (after !== undefined) this.#at = after;
    return name || '.';
  }

  text(length: number): string {
    let text = '';
    for (let i = 0; i < length; i++) text += String.fromCharCode(this.uint8());
    return text;
  }

  record(): DnsRecord {
    const name = this.name();
    const number = this.uint16();
    this.uint16();
    const ttl = this.uint32();
    const length = this.uint16();
    const end = this.#at + length;
    const record = this.#body({ name, ttl }, number, end);
    this.#at = end;
    return record;
  }

  #body(head: RecordHead, number: number, end: number): DnsRecord {
    const type = typeName(number);
    switch (type) {
      case 'A':
        return { ...head, type, address: formatIPv4(this.uint32()) };
      case 'CNAME':
      case 'NS':
      case 'PTR':
        return { ...head, type, target: this.name() };
      case 'SRV': {
        const [priority, weight, port] = [this.uint16(), this.uint16(), this.uint16()];
        return { ...head, type, priority, weight, port, target: this.name() };
      }
      case 'TXT': {
        const texts: string[] = [];
        while (this.#at < end) texts.push(this.text(this.uint8()));
        return { ...head, type, texts };
      }
      case 'SOA': {
        const [primary, mailbox] = [this.name(), this.name()];
        const [serial, refresh, retry, expire] = [this.uint32(), this.uint32(), this.uint32(), this.uint32()];
        return { ...head, type, primary, mailbox, serial, refresh, retry, expire, minimum: this.uint32() };
      }
      default: {
        if (end > this.#bytes.length) throw new DnsError('message too short');
        return { ...head, type: 'OTHER', number, data: this.#bytes.slice(this.#at, end) };
      }
    }
  }
}
