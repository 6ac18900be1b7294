import { assert } from '#base/assert.ts';
import type { Timer } from '#base/clock.ts';
import { Fifo } from '#base/fifo.ts';
import type { Latency } from '#base/latency.ts';
import type { Process } from '#base/pump.ts';
import type { SpanAttributes } from '#base/tracer.ts';
import { parseIPv4 } from './address.ts';
import { ConnectionSpan } from './connection-span.ts';
import { NetworkError, type NetworkErrorCode } from './network-error.ts';
import { Pipe } from './pipe.ts';

/** An address and a port, of either protocol. */
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

export type Protocol = 'TCP' | 'UDP';

/** A new connection, or an exchange of datagrams, as a node's rules see it. */
export interface Flow {
  readonly protocol: Protocol;
  readonly destination: Endpoint;
  readonly source: Endpoint;
  /** It came over the cable, from another host; otherwise from a namespace of this host. */
  readonly arriving: boolean;
}

/** What the rules make of a flow. */
export interface Translation {
  /** Where it goes instead; `reject`: it is refused at once, `drop`: nobody ever answers. */
  readonly to: Endpoint | 'reject' | 'drop';
  /** `namespace/name` of the Service that the destination belongs to, for the trace. */
  readonly service?: string;
  /** The server sees the translating host as the one who dials. */
  readonly masquerade?: boolean;
}

/**
 * Rewrites where a new flow goes, as the rules of kube-proxy do; undefined leaves it alone. Asked once for each
 * connection: what is established goes on when the rules change.
 */
export type AddressTranslation = (flow: Flow) => Translation | undefined;

/** Answers one datagram in a task of the listening process; undefined: says nothing. */
export type DatagramHandler = (
  payload: Uint8Array,
  from: Endpoint,
) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

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

interface DatagramListener extends Listener {
  readonly process: Process;
  readonly serve: DatagramHandler;
}

/** Where a flow ends up. */
interface Route {
  /** Whose address it is; undefined: nobody's, or the rules say no. */
  readonly to?: NetworkNamespace;
  readonly endpoint: Endpoint;
  readonly refusal?: 'reject' | 'drop';
  /** What the server sees as the one who dials. */
  readonly source: Endpoint;
  readonly service?: string;
  /** The host whose rules translated it. */
  readonly via?: NetworkNamespace;
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
  /** Whom it belongs to, as the trace names it: `pods/default/web-1`, `nodes/node-1`. */
  readonly owner: string;
  readonly network: Network;
  /** The node's own namespace, through which all traffic passes; a node's own is its own host. */
  readonly host: NetworkNamespace;
  readonly interfaces: readonly NetworkInterface[];
  /** On a host: its connection to all other hosts is cut; nothing is answered, nothing is refused. */
  unplugged = false;
  /** On a host: the rules for what leaves its namespaces, and for what comes to its own addresses. */
  translation: AddressTranslation | undefined;
  readonly #listeners = new Map<number, OpenListener[]>();
  readonly #datagramListeners = new Map<number, DatagramListener>();
  readonly #connections = new Set<Connection>();
  #nextPort = EPHEMERAL_PORTS.first;

  /** @internal Use {@link Network.createHost} and {@link Network.createNamespace}. */
  constructor(
    network: Network,
    name: string,
    owner: string,
    host: NetworkNamespace | undefined,
    interfaces: readonly NetworkInterface[],
  ) {
    this.network = network;
    this.name = name;
    this.owner = owner;
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

  /** Who takes datagrams, for `netstat`. */
  get listeningDatagrams(): readonly Endpoint[] {
    return [...this.#datagramListeners.keys()].map((port) => ({ address: ANY, port }));
  }

  /**
   * Opens a connection for a task of `by`; parks it meanwhile. Throws {@link NetworkError}: ECONNREFUSED, EHOSTUNREACH,
   * or ETIMEDOUT after `timeoutMs`. `attributes` go into the connection's span.
   */
  connect(
    by: Process,
    destination: Endpoint,
    timeoutMs = SYN_TIMEOUT_MS,
    attributes?: SpanAttributes,
  ): Promise<Connection> {
    return this.network.connect(by, this, destination, timeoutMs, attributes);
  }

  /** Takes UDP datagrams to a port until closed or until the process exits. Throws EADDRINUSE. */
  listenDatagram(process: Process, port: number, serve: DatagramHandler): Listener {
    if (this.#datagramListeners.has(port)) throw new NetworkError('EADDRINUSE');
    const close = () => {
      forget();
      if (this.#datagramListeners.get(port) === listener) this.#datagramListeners.delete(port);
    };
    const listener: DatagramListener = { process, port, serve, close };
    const forget = process.onExit(close);
    this.#datagramListeners.set(port, listener);
    return listener;
  }

  /**
   * Sends a UDP datagram and waits for one that answers it, on a source port of its own; parks the calling task. Undefined
   * when none came within `timeoutMs`; throws {@link NetworkError} ECONNREFUSED when nobody listens. `describe` tells
   * what the span should say of the answer.
   */
  askDatagram(
    by: Process,
    destination: Endpoint,
    payload: Uint8Array,
    timeoutMs: number,
    attributes?: SpanAttributes,
    describe?: (answer: Uint8Array) => SpanAttributes,
  ): Promise<Uint8Array | undefined> {
    return this.network.ask(by, this, destination, payload, timeoutMs, attributes, describe);
  }

  /** @internal */
  datagramListenerFor(port: number): DatagramListener | undefined {
    return this.#datagramListeners.get(port);
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
    for (const listener of [...this.#datagramListeners.values()]) listener.close();
  }
}

/** All hosts and Pods, and what lies between them. Its process owns what is under way from one to another. */
export class Network {
  readonly #process: Process;
  readonly #latency: Latency;
  readonly #namespaces = new Map<string, NetworkNamespace>();
  readonly #subnets = new Set<number>();

  constructor(process: Process, latency: Latency) {
    this.#process = process;
    this.#latency = latency;
  }

  /** A machine with one address. */
  createHost(name: string, address: string, owner = name): NetworkNamespace {
    return this.#create(name, owner, undefined, [loopback, { name: 'eth0', address, prefix: SUBNET_PREFIX }]);
  }

  /** A namespace on a host, such as a Pod sandbox. */
  createNamespace(name: string, host: NetworkNamespace, address: string, owner = name): NetworkNamespace {
    return this.#create(name, owner, host, [loopback, { name: 'eth0', address, prefix: SUBNET_PREFIX }]);
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
  async connect(
    by: Process,
    from: NetworkNamespace,
    destination: Endpoint,
    timeoutMs: number,
    attributes?: SpanAttributes,
  ): Promise<Connection> {
    const local = this.#sourceOf(from, destination);
    const route = this.#route('TCP', from, destination, local);
    const span = this.#spanOf(by, 'TCP', from, destination, route, attributes);
    const fail = async (afterMs: number, code: NetworkErrorCode, outcome: string): Promise<never> => {
      if (afterMs > 0) {
        const forget = span && by.onExit(() => span.end({ outcome: 'timeout' }));
        await by.clock.sleep(afterMs);
        forget?.();
      }
      span?.end({ outcome });
      throw new NetworkError(code);
    };
    const { to, endpoint } = route;
    if (!to) {
      if (route.refusal === 'reject') return fail(0, 'ECONNREFUSED', 'rejected');
      if (route.refusal === 'drop') return fail(timeoutMs, 'ETIMEDOUT', 'dropped');
      return timeoutMs > NO_NEIGHBOUR_MS && this.#inSubnet(endpoint.address)
        ? fail(NO_NEIGHBOUR_MS, 'EHOSTUNREACH', 'unreachable')
        : fail(timeoutMs, 'ETIMEDOUT', 'unreachable');
    }
    const trip = this.tripMs(from, to) + this.tripMs(to, from);
    if (trip > timeoutMs || !this.reachable(from, to)) return fail(timeoutMs, 'ETIMEDOUT', 'timeout');
    if (trip > 0) await by.clock.sleep(trip);
    if (!this.reachable(from, to)) return fail(timeoutMs - trip, 'ETIMEDOUT', 'timeout');
    const listener = to.listenerFor(endpoint);
    if (!listener) return fail(0, 'ECONNREFUSED', 'refused');
    span?.note({ outcome: 'connected' });
    const client = new Connection(this, from, by, local, destination, span);
    const server = new Connection(this, to, listener.process, endpoint, route.source, span);
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

  /** @internal {@link NetworkNamespace.askDatagram} */
  ask(
    by: Process,
    from: NetworkNamespace,
    destination: Endpoint,
    payload: Uint8Array,
    timeoutMs: number,
    attributes?: SpanAttributes,
    describe?: (answer: Uint8Array) => SpanAttributes,
  ): Promise<Uint8Array | undefined> {
    const route = this.#route('UDP', from, destination, this.#sourceOf(from, destination));
    const span = this.#spanOf(by, 'UDP', from, destination, route, attributes);
    const { to, endpoint, source, refusal } = route;
    return by.park<Uint8Array | undefined>((wake, fail) => {
      const unanswered = to ? 'timeout' : refusal === 'drop' ? 'dropped' : 'unreachable';
      // The network's own timer, so that the span ends even if who asks does not live to see it.
      const timer = this.#process.clock.afterFunc(timeoutMs, 'datagram unanswered', () => {
        span?.end({ outcome: unanswered });
        wake(undefined);
      });
      const refuse = (outcome: string) => {
        if (!timer.stop()) return;
        span?.end({ outcome });
        fail(new NetworkError('ECONNREFUSED'));
      };
      if (refusal === 'reject') refuse('rejected');
      if (!to) return;
      /** Runs at the other end, unless a cable is out. */
      const send = (sender: NetworkNamespace, receiver: NetworkNamespace, arrive: () => void) => {
        const deliver = () => {
          if (this.reachable(sender, receiver)) arrive();
        };
        const trip = this.tripMs(sender, receiver);
        if (trip > 0) this.later(trip, deliver);
        else deliver();
      };
      send(from, to, () => {
        const listener = to.datagramListenerFor(endpoint.port);
        if (!listener) return send(to, from, () => refuse('refused'));
        listener.process.spawn(`serve udp ${endpoint.address}:${endpoint.port}`, async () => {
          const served = listener.serve(payload, source);
          const answer = served instanceof Promise ? await served : served;
          if (!answer) return;
          send(to, from, () => {
            if (!timer.stop()) return;
            span?.end({ outcome: 'connected', ...describe?.(answer) });
            wake(answer);
          });
        });
      });
    });
  }

  /** Asks an address for an echo; the round trip in ms, or undefined when nobody answers within `timeoutMs`. */
  async echo(by: Process, from: NetworkNamespace, address: string, timeoutMs: number): Promise<number | undefined> {
    const to = from.owns(address) ? from : this.#namespaces.get(address);
    const trip = to && this.reachable(from, to) ? this.tripMs(from, to) + this.tripMs(to, from) : undefined;
    const waited = trip === undefined || trip > timeoutMs ? timeoutMs : trip;
    if (waited > 0) await by.clock.sleep(waited);
    return trip === waited ? trip : undefined;
  }

  #sourceOf(from: NetworkNamespace, destination: Endpoint): Endpoint {
    return {
      address: from.owns(destination.address) ? destination.address : from.address,
      port: from.ephemeralPort(),
    };
  }

  #route(protocol: Protocol, from: NetworkNamespace, destination: Endpoint, source: Endpoint): Route {
    const { host } = from;
    const own = from.owns(destination.address);
    // What a Pod sends to itself never leaves its namespace, so no rule sees it.
    if (own && from !== host) return { to: from, endpoint: destination, source };
    let via = host;
    let translation = host.translation?.({ protocol, destination, source, arriving: false });
    if (!translation) {
      if (own) return { to: from, endpoint: destination, source };
      const entry = this.#namespaces.get(destination.address);
      if (!entry) return { endpoint: destination, source };
      if (entry.host === entry && entry !== host && this.reachable(from, entry)) {
        via = entry;
        translation = entry.translation?.({ protocol, destination, source, arriving: true });
      }
      if (!translation) return { to: entry, endpoint: destination, source };
    }
    const { to, service, masquerade } = translation;
    const facts = { via, ...(service ? { service } : {}) };
    if (typeof to === 'string') return { endpoint: destination, refusal: to, source, ...facts };
    const target = this.#namespaces.get(to.address);
    const seen = masquerade ? { address: via.address, port: source.port } : source;
    return { ...(target ? { to: target } : {}), endpoint: to, source: seen, ...facts };
  }

  /** The span of a flow; none for what a namespace says to itself, past all rules. */
  #spanOf(
    by: Process,
    protocol: Protocol,
    from: NetworkNamespace,
    destination: Endpoint,
    { to, endpoint, service, via, refusal }: Route,
    attributes: SpanAttributes | undefined,
  ): ConnectionSpan | undefined {
    if (to === from && !via) return undefined;
    const dialled = `${destination.address}:${destination.port}`;
    return new ConnectionSpan(by.tracer, from.owner, dialled, {
      protocol,
      to: dialled,
      ...(service ? { service } : {}),
      ...(via && (service || !refusal) ? { via: via.name } : {}),
      ...(via && !refusal ? { endpoint: `${endpoint.address}:${endpoint.port}` } : {}),
      ...(to ? { target: to.owner } : {}),
      ...attributes,
    });
  }

  /** Whether somebody asks the neighbours for it: other addresses go to the gateway, behind which there is nothing. */
  #inSubnet(address: string): boolean {
    return this.#subnets.has(subnetOf(address));
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

  #create(
    name: string,
    owner: string,
    host: NetworkNamespace | undefined,
    interfaces: readonly NetworkInterface[],
  ): NetworkNamespace {
    const namespace = new NetworkNamespace(this, name, owner, host, interfaces);
    for (const { address } of interfaces) {
      if (address === loopback.address) continue;
      assert(!this.#namespaces.has(address), `the address ${address} is taken`);
      this.#namespaces.set(address, namespace);
      this.#subnets.add(subnetOf(address));
    }
    return namespace;
  }
}

const loopback: NetworkInterface = { name: 'lo', address: '127.0.0.1', prefix: 8 };
const SUBNET_PREFIX = 24;

function subnetOf(address: string): number {
  return Math.floor((parseIPv4(address) ?? -1) / 2 ** (32 - SUBNET_PREFIX));
}

/** One end of a TCP connection. When its process exits, the other end is reset. */
export class Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #network: Network;
  readonly #namespace: NetworkNamespace;
  readonly #process: Process;
  readonly #span: ConnectionSpan | undefined;
  readonly #incoming = new Pipe();
  readonly #inFlight = new Fifo<() => void>();
  #peer: Connection | undefined;
  #dialled = false;
  #release: (() => void)[] = [];
  /** When the last thing that was sent arrives: nothing overtakes it. */
  #arrival = 0;
  #sentEnd = false;
  #deadline: Timer | undefined;

  /** @internal Connections come from {@link NetworkNamespace.connect}. */
  constructor(
    network: Network,
    namespace: NetworkNamespace,
    process: Process,
    local: Endpoint,
    remote: Endpoint,
    span: ConnectionSpan | undefined,
  ) {
    this.#network = network;
    this.#namespace = namespace;
    this.#process = process;
    this.local = local;
    this.remote = remote;
    this.#span = span;
  }

  /** Adds facts to the connection's span, which both sides share and which ends when the dialling side closes. */
  note(attributes: SpanAttributes): void {
    this.#span?.note(attributes);
  }

  /** @internal */
  join(peer: Connection): void {
    this.#dialled = true;
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
      this.#send(peer, () => {
        peer.#span?.note({ outcome: 'reset' });
        peer.#incoming.end(new NetworkError('ECONNRESET'));
      });
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
        : this.#process.clock.afterFunc(ms, 'deadline', () => {
            this.#span?.note({ outcome: 'timeout' });
            this.#incoming.end(new NetworkError('ETIMEDOUT'));
          });
  }

  #detach(): void {
    this.#deadline?.stop();
    const release = this.#release;
    this.#release = [];
    for (const one of release) one();
    if (this.#dialled) this.#span?.end();
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
