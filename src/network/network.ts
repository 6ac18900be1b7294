import { assert } from '#base/assert.ts';
import type { Timer } from '#base/clock.ts';
import { Fifo } from '#base/fifo.ts';
import type { Latency } from '#base/latency.ts';
import type { Process } from '#base/pump.ts';
import { NetworkError } from './network-error.ts';
import { Pipe } from './pipe.ts';

/** One end of a TCP connection. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A network interface as `ip addr` shows it. */
export interface NetworkInterface {
  readonly name: string;
  readonly address: string;
  readonly prefix: number;
}

/**
 * Rewrites where a new connection goes, as the rules of kube-proxy do: another endpoint, `reject` (refused), `drop`
 * (no answer ever), or undefined to leave it alone. Asked once for each connection.
 */
export type AddressTranslation = (destination: Endpoint, source: Endpoint) => Endpoint | 'reject' | 'drop' | undefined;

/** Serves one connection in a task of the listening process. The connection is closed when it returns or throws. */
export type ConnectionHandler = (connection: Connection) => Promise<void>;

/** A port that a process listens on. */
export interface Listener {
  readonly port: number;
  close(): void;
}

interface OpenListener extends Listener {
  readonly process: Process;
  readonly address: string;
  readonly serve: ConnectionHandler;
}

/** How long Linux goes on asking a host that does not answer, ms. */
const SYN_TIMEOUT_MS = 127_000;
/** After how long nobody having answered an address resolution request is "no route to host", ms. */
const NO_NEIGHBOUR_MS = 3_000;
const EPHEMERAL_PORTS = { first: 32_768, last: 60_999 };
const ANY = '0.0.0.0';

/**
 * A stack of interfaces, listeners and connections: a node's own, or a Pod sandbox's, which its containers share.
 * The loopback addresses of each lead to itself.
 */
export class NetworkNamespace {
  readonly name: string;
  readonly network: Network;
  /** The node's own namespace, through which all traffic passes; a node's own is its own host. */
  readonly host: NetworkNamespace;
  readonly interfaces: readonly NetworkInterface[];
  /** On a host: its connection to all other hosts is cut; nothing is answered, nothing is refused. */
  unplugged = false;
  /** On a host: the rules for what leaves its namespaces, and for what comes to its own addresses. */
  translation: AddressTranslation | undefined;
  readonly #listeners = new Map<number, OpenListener[]>();
  readonly #connections = new Set<Connection>();
  #nextPort = EPHEMERAL_PORTS.first;

  /** @internal Use {@link Network.createHost} and {@link Network.createNamespace}. */
  constructor(
    network: Network,
    name: string,
    host: NetworkNamespace | undefined,
    interfaces: readonly NetworkInterface[],
  ) {
    this.network = network;
    this.name = name;
    this.host = host ?? this;
    this.interfaces = interfaces;
  }

  /** The address of the first interface that is not the loopback; 127.0.0.1 if there is none. */
  get address(): string {
    return this.interfaces[1]?.address ?? '127.0.0.1';
  }

  /** Takes connections to a port until closed or until the process exits. Throws EADDRINUSE. */
  listen(process: Process, port: number, serve: ConnectionHandler, address = ANY): Listener {
    const others = this.#listeners.get(port) ?? [];
    if (others.some((other) => other.address === ANY || address === ANY || other.address === address)) {
      throw new NetworkError('EADDRINUSE');
    }
    const close = () => {
      forget();
      const left = (this.#listeners.get(port) ?? []).filter((other) => other !== listener);
      if (left.length > 0) this.#listeners.set(port, left);
      else this.#listeners.delete(port);
    };
    const listener: OpenListener = { process, port, address, serve, close };
    const forget = process.onExit(close);
    this.#listeners.set(port, [...others, listener]);
    return listener;
  }

  /** Who listens, for `netstat`. */
  get listening(): readonly Endpoint[] {
    return [...this.#listeners.values()].flat().map(({ address, port }) => ({ address, port }));
  }

  /**
   * Opens a connection for a task of `by`; parks it meanwhile. Throws {@link NetworkError}: ECONNREFUSED, EHOSTUNREACH,
   * or ETIMEDOUT after `timeoutMs`.
   */
  connect(by: Process, destination: Endpoint, timeoutMs = SYN_TIMEOUT_MS): Promise<Connection> {
    return this.network.connect(by, this, destination, timeoutMs);
  }

  /** @internal */
  listenerFor({ address, port }: Endpoint): OpenListener | undefined {
    return this.#listeners.get(port)?.find((listener) => listener.address === ANY || listener.address === address);
  }

  /** @internal */
  ephemeralPort(): number {
    const port = this.#nextPort;
    this.#nextPort = port === EPHEMERAL_PORTS.last ? EPHEMERAL_PORTS.first : port + 1;
    return port;
  }

  /** @internal */
  owns(address: string): boolean {
    return address.startsWith('127.') || this.interfaces.some((one) => one.address === address);
  }

  /** @internal */
  track(connection: Connection): () => void {
    this.#connections.add(connection);
    return () => this.#connections.delete(connection);
  }

  /** @internal */
  dissolve(): void {
    for (const connection of [...this.#connections]) connection.reset();
    for (const listener of [...this.#listeners.values()].flat()) listener.close();
  }
}

/** All hosts and Pods, and what lies between them. Its process owns what is under way from one to another. */
export class Network {
  readonly #process: Process;
  readonly #latency: Latency;
  readonly #namespaces = new Map<string, NetworkNamespace>();

  constructor(process: Process, latency: Latency) {
    this.#process = process;
    this.#latency = latency;
  }

  /** A machine with one address. */
  createHost(name: string, address: string): NetworkNamespace {
    return this.#create(name, undefined, [loopback, { name: 'eth0', address, prefix: 24 }]);
  }

  /** A namespace on a host, such as a Pod sandbox. */
  createNamespace(name: string, host: NetworkNamespace, address: string, prefix = 24): NetworkNamespace {
    return this.#create(name, host, [loopback, { name: 'eth0', address, prefix }]);
  }

  /** Takes a namespace away: its address answers no more, its connections break. */
  remove(namespace: NetworkNamespace): void {
    for (const { address } of namespace.interfaces) {
      if (this.#namespaces.get(address) === namespace) this.#namespaces.delete(address);
    }
    namespace.dissolve();
  }

  /** Whose address it is. */
  at(address: string): NetworkNamespace | undefined {
    return this.#namespaces.get(address);
  }

  /** @internal {@link NetworkNamespace.connect} */
  async connect(by: Process, from: NetworkNamespace, destination: Endpoint, timeoutMs: number): Promise<Connection> {
    const local = {
      address: from.owns(destination.address) ? destination.address : from.address,
      port: from.ephemeralPort(),
    };
    const route = this.#route(from, destination, local);
    if (route === 'drop') return this.#fail(by, timeoutMs, 'ETIMEDOUT');
    if (route === 'reject') return this.#fail(by, 0, 'ECONNREFUSED');
    if (route === 'unreachable') {
      return timeoutMs > NO_NEIGHBOUR_MS
        ? this.#fail(by, NO_NEIGHBOUR_MS, 'EHOSTUNREACH')
        : this.#fail(by, timeoutMs, 'ETIMEDOUT');
    }
    const { to, endpoint } = route;
    const trip = this.tripMs(from, to) + this.tripMs(to, from);
    if (trip > timeoutMs || !this.reachable(from, to)) return this.#fail(by, timeoutMs, 'ETIMEDOUT');
    if (trip > 0) await by.clock.sleep(trip);
    if (!this.reachable(from, to)) return this.#fail(by, timeoutMs - trip, 'ETIMEDOUT');
    const listener = to.listenerFor(endpoint);
    if (!listener) throw new NetworkError('ECONNREFUSED');
    const client = new Connection(this, from, by, local, destination);
    const server = new Connection(this, to, listener.process, endpoint, local);
    client.join(server);
    listener.process.spawn(`serve ${endpoint.address}:${endpoint.port}`, async () => {
      try {
        await listener.serve(server);
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
      } finally {
        server.close();
      }
    });
    return client;
  }

  /** Asks an address for an echo; the round trip in ms, or undefined when nobody answers within `timeoutMs`. */
  async echo(by: Process, from: NetworkNamespace, address: string, timeoutMs: number): Promise<number | undefined> {
    const to = from.owns(address) ? from : this.#namespaces.get(address);
    const trip = to && this.reachable(from, to) ? this.tripMs(from, to) + this.tripMs(to, from) : undefined;
    const waited = trip === undefined || trip > timeoutMs ? timeoutMs : trip;
    if (waited > 0) await by.clock.sleep(waited);
    return trip === waited ? trip : undefined;
  }

  #route(
    from: NetworkNamespace,
    destination: Endpoint,
    source: Endpoint,
  ): { readonly to: NetworkNamespace; readonly endpoint: Endpoint } | 'reject' | 'drop' | 'unreachable' {
    let endpoint = destination;
    const { host } = from;
    const leaving = host.translation?.(endpoint, source);
    if (leaving === 'reject' || leaving === 'drop') return leaving;
    if (leaving) endpoint = leaving;
    else if (from.owns(endpoint.address)) return { to: from, endpoint };
    else {
      const entry = this.#namespaces.get(endpoint.address);
      if (entry && entry.host === entry && entry !== host && this.reachable(from, entry)) {
        const arriving = entry.translation?.(endpoint, source);
        if (arriving === 'reject' || arriving === 'drop') return arriving;
        if (arriving) endpoint = arriving;
      }
    }
    const to = this.#namespaces.get(endpoint.address);
    return to ? { to, endpoint } : 'unreachable';
  }

  async #fail(by: Process, afterMs: number, code: 'ETIMEDOUT' | 'EHOSTUNREACH' | 'ECONNREFUSED'): Promise<never> {
    if (afterMs > 0) await by.clock.sleep(afterMs);
    throw new NetworkError(code);
  }

  /** Whether something sent now would arrive. */
  reachable(from: NetworkNamespace, to: NetworkNamespace): boolean {
    return from.host === to.host || (!from.host.unplugged && !to.host.unplugged);
  }

  /** @internal One way, ms. */
  tripMs(from: NetworkNamespace, to: NetworkNamespace): number {
    return from === to ? 0 : this.#latency.sample('network', this.#process.rng);
  }

  /** @internal Runs `arrive` after `ms`. */
  later(ms: number, arrive: () => void): void {
    this.#process.clock.afterFunc(ms, 'packet arrives', arrive);
  }

  get now(): number {
    return this.#process.clock.now();
  }

  #create(name: string, host: NetworkNamespace | undefined, interfaces: readonly NetworkInterface[]): NetworkNamespace {
    const namespace = new NetworkNamespace(this, name, host, interfaces);
    for (const { address } of interfaces) {
      if (address === loopback.address) continue;
      assert(!this.#namespaces.has(address), `the address ${address} is taken`);
      this.#namespaces.set(address, namespace);
    }
    return namespace;
  }
}

const loopback: NetworkInterface = { name: 'lo', address: '127.0.0.1', prefix: 8 };

/** One end of a TCP connection. When its process exits, the other end is reset. */
export class Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #network: Network;
  readonly #namespace: NetworkNamespace;
  readonly #process: Process;
  readonly #incoming = new Pipe();
  readonly #inFlight = new Fifo<() => void>();
  #peer: Connection | undefined;
  #release: (() => void)[] = [];
  /** When the last thing that was sent arrives: nothing overtakes it. */
  #arrival = 0;
  #sentEnd = false;
  #deadline: Timer | undefined;

  /** @internal Connections come from {@link NetworkNamespace.connect}. */
  constructor(network: Network, namespace: NetworkNamespace, process: Process, local: Endpoint, remote: Endpoint) {
    this.#network = network;
    this.#namespace = namespace;
    this.#process = process;
    this.local = local;
    this.remote = remote;
  }

  /** @internal */
  join(peer: Connection): void {
    for (const [end, other] of [
      [this, peer],
      [peer, this],
    ] as const) {
      end.#peer = other;
      end.#release = [end.#namespace.track(end), end.#process.onExit(() => end.reset())];
    }
  }

  /** The next bytes; parks the calling task. Undefined when the other side has ended; throws ECONNRESET, or ETIMEDOUT after a deadline. */
  read(max?: number): Promise<Uint8Array | undefined> {
    return this.#incoming.read(this.#process, max);
  }

  /** Sends bytes; parks the calling task while the other side has too many unread. False: the other side does not read any more. */
  write(bytes: Uint8Array): boolean | Promise<boolean> {
    const peer = this.#peer;
    if (!peer || this.#sentEnd) return false;
    if (peer.#incoming.full) return this.#writeLater(peer, bytes);
    this.#send(peer, () => peer.#incoming.push(bytes));
    return !peer.#incoming.abandoned;
  }

  async #writeLater(peer: Connection, bytes: Uint8Array): Promise<boolean> {
    await peer.#incoming.whenRoom(this.#process);
    return this.write(bytes);
  }

  /** Sends the end of what this side writes; reading goes on. */
  end(): void {
    const peer = this.#peer;
    if (!peer || this.#sentEnd) return;
    this.#sentEnd = true;
    this.#send(peer, () => peer.#incoming.end());
  }

  /** Ends both directions. */
  close(): void {
    this.end();
    this.#incoming.abandon();
    this.#detach();
  }

  /** Breaks the connection: the other side's reads fail. */
  reset(): void {
    const peer = this.#peer;
    if (peer && !this.#sentEnd) {
      this.#sentEnd = true;
      this.#send(peer, () => peer.#incoming.end(new NetworkError('ECONNRESET')));
    }
    this.#incoming.abandon();
    this.#detach();
  }

  /** After `ms` reads fail with ETIMEDOUT; undefined takes the deadline back. */
  setDeadline(ms: number | undefined): void {
    this.#deadline?.stop();
    this.#deadline =
      ms === undefined
        ? undefined
        : this.#process.clock.afterFunc(ms, 'deadline', () => this.#incoming.end(new NetworkError('ETIMEDOUT')));
  }

  #detach(): void {
    this.#deadline?.stop();
    for (const release of this.#release.splice(0)) release();
  }

  /** What is sent arrives in order, after the latency, unless a host was unplugged meanwhile. */
  #send(peer: Connection, arrive: () => void): void {
    const now = this.#network.now;
    const trip = this.#network.tripMs(this.#namespace, peer.#namespace);
    if (trip === 0 && this.#inFlight.size === 0) {
      if (this.#network.reachable(this.#namespace, peer.#namespace)) arrive();
      return;
    }
    this.#arrival = Math.max(this.#arrival, now + trip);
    this.#inFlight.push(arrive);
    this.#network.later(this.#arrival - now, () => {
      const next = this.#inFlight.shift();
      if (this.#network.reachable(this.#namespace, peer.#namespace)) next?.();
    });
  }
}
