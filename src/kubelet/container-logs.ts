import { containerStatus } from '#api/core/v1/pod-status.ts';
import type { Pod, PodStatus } from '#api/generated/types.ts';
import { formatNanoTime } from './nano-time.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { RuntimeService } from '#cri/contract.ts';
import type { LogBuffer, LogEntry } from '#cri/log-buffer.ts';
import { type BodyStream, bodyStream } from '#transport/http.ts';

/** What of a log is wanted, as PodLogOptions says. */
export interface LogOptions {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  /** Only what was written since then, ms. */
  readonly since: number | undefined;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
}

/** A log that cannot be had; the message is upstream's. */
export class LogError extends Error {
  override readonly name = 'LogError';
}

const LINE_FEED = 10;

/**
 * The log of a container, and what is written to it later if it is followed. Needs no task: it is answered, and goes on,
 * whatever the engine's clock does, and influences nothing. Follows GetKubeletContainerLogs and
 * cri-client/pkg/logs, v1.33. Throws {@link LogError}.
 */
export function containerLog(
  runtime: RuntimeService,
  pod: Pod,
  status: PodStatus,
  container: string,
  options: LogOptions,
): Uint8Array | BodyStream {
  const id = containerId(pod.metadata.name ?? '', status, container, options.previous);
  const log = runtime.logs(id);
  if (!log) throw new LogError(`unable to retrieve container logs for containerd://${id}`);
  const chosen = chooseLines(log, options);
  const out = new LineWriter(options);
  for (const line of chosen) out.add(line);
  if (!options.follow || log.closed || out.full) return out.take();
  let stop = () => {};
  const body = bodyStream(() => stop());
  body.push(out.take());
  stop = log.follow((entry) => {
    if (entry) {
      for (const line of linesOf(entry)) out.add(line);
      const bytes = out.take();
      if (bytes.length > 0) body.push(bytes);
    }
    if (!entry || out.full) {
      stop();
      body.end();
    }
  });
  return body.stream;
}

/** Which container's log is meant. Follows validateContainerLogStatus of pkg/kubelet/kubelet_pods.go, v1.33. */
function containerId(pod: string, status: PodStatus, container: string, previous: boolean): string {
  const found =
    containerStatus(status.containerStatuses, container) ??
    containerStatus(status.initContainerStatuses, container) ??
    containerStatus(status.ephemeralContainerStatuses, container);
  const where = `container "${container}" in pod "${pod}"`;
  if (!found) throw new LogError(`${where} is not available`);
  const last = found.lastState?.terminated?.containerID;
  const { running, terminated, waiting } = found.state ?? {};
  const id = previous
    ? last
    : running
      ? found.containerID
      : terminated
        ? terminated.containerID || last
        : found.lastState?.terminated
          ? last
          : undefined;
  if (id) return id.replace('containerd://', '');
  if (previous) throw new LogError(`previous terminated ${where} not found`);
  if (terminated || found.lastState?.terminated) throw new LogError(`${where} is terminated`);
  const why =
    waiting?.reason === 'ErrImagePull'
      ? "image can't be pulled"
      : waiting?.reason === 'ImagePullBackOff'
        ? 'trying and failing to pull image'
        : (waiting?.reason ?? '');
  throw new LogError(waiting ? `${where} is waiting to start: ${why}` : `${where} is waiting to start - no logs yet`);
}

interface Line {
  readonly time: number;
  readonly bytes: Uint8Array;
}

function* linesOf({ time, bytes }: LogEntry): Generator<Line> {
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(LINE_FEED, at);
    const next = end < 0 ? bytes.length : end + 1;
    yield { time, bytes: bytes.subarray(at, next) };
    at = next;
  }
}

function chooseLines(log: LogBuffer, { since, tailLines }: LogOptions): Line[] {
  const lines: Line[] = [];
  for (const entry of log.entries) {
    if (since === undefined || entry.time >= since) lines.push(...linesOf(entry));
  }
  return tailLines === undefined ? lines : tailLines === 0 ? [] : lines.slice(-tailLines);
}

/** Puts lines together, with times if they are wanted, up to the limit. */
class LineWriter {
  readonly #options: LogOptions;
  #chunks: Uint8Array[] = [];
  #length = 0;
  #written = 0;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  get full(): boolean {
    return this.#options.limitBytes !== undefined && this.#written >= this.#options.limitBytes;
  }

  add({ time, bytes }: Line): void {
    if (this.#options.timestamps) this.#push(encodeUtf8(`${formatNanoTime(time)} `));
    this.#push(bytes);
  }

  take(): Uint8Array {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [];
    this.#length = 0;
    return all;
  }

  #push(bytes: Uint8Array): void {
    const room = (this.#options.limitBytes ?? Number.POSITIVE_INFINITY) - this.#written;
    const chunk = bytes.length > room ? bytes.subarray(0, Math.max(0, room)) : bytes;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    this.#written += chunk.length;
  }
}
