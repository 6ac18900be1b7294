import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { derSequence, pemBlocks } from '#api/certificates/v1/certificate-request.ts';
import type { CertificateTerms } from '#controllers/define-controller.ts';

/** A certificate and its key, PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate is for. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  /** `server` is verified by its names, `client` names a user. */
  readonly usage: 'server' | 'client';
  readonly dnsNames?: readonly string[];
  /** IPv4 addresses. */
  readonly addresses?: readonly string[];
}

interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const YEAR_MS = 365 * 86_400_000;
/** As kubeadm has them: ten years for the authority, one for what it signs. */
const AUTHORITY_MS = 10 * YEAR_MS;
/** Clients whose clocks are behind take the certificates too. */
const SKEW_MS = 300_000;

const OID = {
  extensionRequest: '1.2.840.113549.1.9.14',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
} as const;

/**
 * A certificate authority of one run of the server: ECDSA on P-256, its key in memory only. Certificates are X.509 v3 with
 * the extensions that kubeadm's have (cmd/kubeadm/app/util/pkiutil, v1.33).
 */
export class CertificateAuthority {
  /** What clients trust, PEM. */
  readonly certificate: string;
  readonly #key: KeyObject;
  readonly #name: Buffer;
  readonly #keyId: Buffer;
  readonly #now: number;

  /** `now`: ms since the epoch. */
  constructor(commonName: string, now: number) {
    this.#now = now;
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = privateKey;
    this.#name = nameOf(commonName, []);
    this.#keyId = randomBytes(20);
    this.certificate = this.#certificate(this.#name, publicKey, this.#validity(AUTHORITY_MS), [
      extension(OID.keyUsage, bits(0xa4), true),
      extension(OID.basicConstraints, sequence(boolean(true)), true),
      extension(OID.subjectKeyIdentifier, octets(this.#keyId)),
      extension(OID.subjectAltName, sequence(tagged(0x82, Buffer.from(commonName)))),
    ]);
  }

  /** A certificate for whom a request names, with the key and the other names that it holds. Throws Error for no request. */
  sign({ request, usages, notBeforeMs, notAfterMs }: CertificateTerms): string {
    const [block] = pemBlocks(request);
    if (!block) throw new Error('PEM block type must be CERTIFICATE REQUEST');
    const [information] = derSequence(block.bytes);
    const [, subject, key, attributes] = information ? derSequence(information.whole) : [];
    if (!subject || !key) throw new Error('asn1: syntax error: sequence truncated');
    const publicKey = createPublicKey({ key: Buffer.from(key.whole), format: 'der', type: 'spki' });
    const names = attributes && requestedNames(attributes.content);
    const use = (usages.includes('digital signature') ? 0x80 : 0) | (usages.includes('key encipherment') ? 0x20 : 0);
    const validity = { notBeforeMs, notAfterMs: Math.min(notAfterMs, this.#now + AUTHORITY_MS) };
    return this.#certificate(Buffer.from(subject.whole), publicKey, validity, [
      ...(use ? [extension(OID.keyUsage, bits(use), true)] : []),
      ...(usages.includes('client auth') ? [extension(OID.extendedKeyUsage, sequence(oid(OID.client)))] : []),
      extension(OID.basicConstraints, sequence(), true),
      extension(OID.authorityKeyIdentifier, sequence(tagged(0x80, this.#keyId))),
      ...(names ? [extension(OID.subjectAltName, names)] : []),
    ]);
  }

  /** A new key and its certificate, valid for a year. */
  issue({ commonName, organizations = [], usage, dnsNames = [], addresses = [] }: CertificateRequest): KeyPair {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const names = [
      ...dnsNames.map((name) => tagged(0x82, Buffer.from(name))),
      ...addresses.map((address) => tagged(0x87, Buffer.from(address.split('.').map(Number)))),
    ];
    const certificate = this.#certificate(nameOf(commonName, organizations), publicKey, this.#validity(YEAR_MS), [
      extension(OID.keyUsage, bits(0xa0), true),
      extension(OID.extendedKeyUsage, sequence(oid(OID[usage]))),
      extension(OID.basicConstraints, sequence(), true),
      extension(OID.authorityKeyIdentifier, sequence(tagged(0x80, this.#keyId))),
      ...(names.length ? [extension(OID.subjectAltName, sequence(...names))] : []),
    ]);
    return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
  }

  #validity(lifetimeMs: number): Validity {
    return { notBeforeMs: this.#now - SKEW_MS, notAfterMs: this.#now + lifetimeMs };
  }

  #certificate(subject: Buffer, publicKey: KeyObject, validity: Validity, extensions: readonly Buffer[]): string {
    const algorithm = sequence(oid(OID.ecdsaWithSha256));
    const serial = randomBytes(8);
    serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
    const body = sequence(
      tagged(0xa0, tagged(0x02, Buffer.from([2]))),
      tagged(0x02, serial),
      algorithm,
      this.#name,
      sequence(time(validity.notBeforeMs), time(validity.notAfterMs)),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      tagged(0xa3, sequence(...extensions)),
    );
    const signature = sign('sha256', body, this.#key);
    const der = sequence(body, algorithm, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
    return new X509Certificate(der).toString();
  }
}

/** The alternative names that the attributes of a request ask for, as the extension of a certificate has them. */
function requestedNames(attributes: Uint8Array): Buffer | undefined {
  const parts = (content: Uint8Array) => derSequence(sequence(Buffer.from(content)));
  for (const attribute of parts(attributes)) {
    const [type, values] = derSequence(attribute.whole);
    const [extensions] = type && values && oid(OID.extensionRequest).equals(type.whole) ? parts(values.content) : [];
    for (const one of extensions ? derSequence(extensions.whole) : []) {
      const [name, ...rest] = derSequence(one.whole);
      const value = rest.at(-1);
      if (name && value && oid(OID.subjectAltName).equals(name.whole)) return Buffer.from(value.content);
    }
  }
  return undefined;
}

// DER, as far as certificates need it.

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));
const octets = (content: Buffer): Buffer => tagged(0x04, content);
const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]));

/** A bit string of at most eight bits, without the zeros at its end. */
function bits(value: number): Buffer {
  let unused = 0;
  while (unused < 7 && ((value >> unused) & 1) === 0) unused++;
  return tagged(0x03, Buffer.from([unused, value]));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tagged(0x06, Buffer.from(bytes));
}

/** UTCTime, which ends with 2049. */
const time = (ms: number): Buffer =>
  tagged(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));

function nameOf(commonName: string, organizations: readonly string[]): Buffer {
  const attribute = (type: string, value: string) =>
    tagged(0x31, sequence(oid(type), tagged(0x0c, Buffer.from(value))));
  return sequence(
    ...organizations.map((organization) => attribute(OID.organization, organization)),
    attribute(OID.commonName, commonName),
  );
}

const extension = (type: string, value: Buffer, critical = false): Buffer =>
  sequence(oid(type), ...(critical ? [boolean(true)] : []), octets(value));
