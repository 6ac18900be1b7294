import type { FileSystem } from '#shell/file-system.ts';
import type { Input, Output, ShellClock } from '#shell/streams.ts';
import type { CancelSignal, HttpServer } from '#transport/http.ts';

/** Where and how to reach an API server, as the kubeconfig and the flags say. */
export interface ServerConfig {
  /** URL of the cluster, without a slash at the end. */
  readonly server: string;
  readonly tlsServerName?: string;
  readonly insecureSkipTlsVerify?: boolean;
  /** PEM. */
  readonly certificateAuthority?: Uint8Array;
  readonly clientCertificate?: Uint8Array;
  readonly clientKey?: Uint8Array;
  readonly timeoutMs?: number;
}

/** Everything that kubectl sees of the world. */
export interface KubectlContext {
  /** Opens the way to a server. The page has one server, whatever the kubeconfig says. Rejects with ConnectionError. */
  connect(config: ServerConfig): HttpServer;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly files: FileSystem;
  /** The working directory: an absolute path. */
  readonly directory: string;
  /** HOME, KUBECONFIG, KUBE_EDITOR, NO_COLOR … */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: ShellClock;
  /** Ctrl-C. */
  readonly signal?: CancelSignal;
  /**
   * Lets the user change a text, for `kubectl edit`, and resolves with what it has become; undefined when the user gave
   * up. `name` is that of a temporary file, such as `kubectl-edit-1234.yaml`. Rejects when there is no editor to be had.
   */
  edit?(text: string, name: string): Promise<string | undefined>;
  /** Discovery that is kept between commands, as the real kubectl keeps it on disk. */
  readonly discoveryCache?: DiscoveryCache;
}

/** Keeps what discovery answered, per server. */
export interface DiscoveryCache {
  get(server: string): Promise<string | undefined>;
  set(server: string, text: string): Promise<void>;
}

/** What {@link KubectlContext.signal} becomes for code that waits: rejects with {@link Interrupted}. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

const waiting = new WeakMap<CancelSignal, Set<() => void>>();

/** Calls back when the signal comes; returns a function that takes it back. However many wait, the signal has one listener. */
export function onInterrupt(signal: CancelSignal, run: () => void): () => void {
  let listeners = waiting.get(signal);
  if (!listeners) {
    const added = new Set<() => void>();
    waiting.set(signal, added);
    signal.addEventListener('abort', () => {
      for (const listener of added) listener();
    });
    listeners = added;
  }
  listeners.add(run);
  return () => listeners.delete(run);
}

/** Settles as the promise does, or rejects with {@link Interrupted} when the signal comes first; `stop` is called then. */
export function interruptible<T>(
  promise: Promise<T>,
  signal: CancelSignal | undefined,
  stop: () => void = () => {},
): Promise<T> {
  if (!signal) return promise;
  if (signal.aborted) {
    stop();
    return Promise.reject(new Interrupted());
  }
  return new Promise((resolve, reject) => {
    const done = onInterrupt(signal, () => {
      stop();
      reject(new Interrupted());
    });
    promise.then(
      (value) => {
        done();
        resolve(value);
      },
      (error: unknown) => {
        done();
        reject(error as Error);
      },
    );
  });
}
