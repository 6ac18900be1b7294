import { isRestartableInitContainer } from '#api/core/v1/pod-status.ts';
import type { Container, Pod, PodStatus, Probe } from '#api/generated/types.ts';
import type { Timer } from '#base/clock.ts';
import type { SpanId } from '#base/tracer.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import type { RuntimeService } from '#cri/contract.ts';
import { CriError } from '#cri/cri-error.ts';
import type { NetworkNamespace } from '#network/network.ts';
import { NetworkError } from '#network/network-error.ts';
import { goDuration } from './crash-backoff.ts';
import { expand } from './expansion.ts';
import { containerFieldPath, type KubeletContext } from './kubelet-context.ts';
import { containerPort, dialError, httpGet } from './network-probe.ts';
import type { ProbeVerdict, ProbeVerdicts } from './pod-actions.ts';
import type { ProbeView } from './pod-status.ts';

/** What a probe is for, as Events name it. */
export type ProbeType = 'Liveness' | 'Readiness' | 'Startup';

const MAX_OUTPUT = 10 * 1024;
const RETRIES = 3;

/** What a probe needs of its kubelet. */
export interface ProbeEnvironment {
  readonly context: KubeletContext;
  readonly runtime: RuntimeService;
  /** The node's own network, from which probes come. */
  readonly network: NetworkNamespace;
  /** When the kubelet started, ms. */
  readonly startedAt: number;
  status(uid: string): PodStatus | undefined;
  /** A result has changed. */
  changed(uid: string, type: ProbeType, containerId: string, verdict: ProbeVerdict, cause: SpanId): void;
}

/** All probes of one Pod. Follows pkg/kubelet/prober/prober_manager.go, v1.33. */
export class PodProbes implements ProbeView, ProbeVerdicts {
  readonly #environment: ProbeEnvironment;
  readonly #workers = new Map<string, ProbeWorker>();

  constructor(environment: ProbeEnvironment) {
    this.#environment = environment;
  }

  /** Begins to probe what is not probed yet; uses the newest Pod from now on. */
  add(pod: Pod): void {
    for (const worker of this.#workers.values()) worker.pod = pod;
    const sidecars = pod.spec.initContainers?.filter(isRestartableInitContainer) ?? [];
    for (const container of [...pod.spec.containers, ...sidecars]) {
      this.#start(pod, container, 'Startup', container.startupProbe);
      this.#start(pod, container, 'Readiness', container.readinessProbe);
      this.#start(pod, container, 'Liveness', container.livenessProbe);
    }
  }

  /** The Pod is ending: only readiness goes on. */
  stopLivenessAndStartup(): void {
    for (const worker of this.#workers.values()) if (worker.type !== 'Readiness') worker.stop();
  }

  stop(): void {
    for (const worker of this.#workers.values()) worker.stop();
    this.#workers.clear();
  }

  liveness(containerId: string): ProbeVerdict {
    return this.#verdict('Liveness', containerId);
  }

  startup(containerId: string): ProbeVerdict {
    return this.#verdict('Startup', containerId);
  }

  started({ name }: Container, containerId: string): boolean {
    const worker = this.#workers.get(`Startup ${name}`);
    if (!worker) return true;
    return worker.verdictOf(bare(containerId)) === 'success';
  }

  ready({ name }: Container, containerId: string): boolean {
    const worker = this.#workers.get(`Readiness ${name}`);
    if (!worker) return true;
    if (worker.verdictOf(bare(containerId)) === 'success') return true;
    worker.trigger();
    return false;
  }

  #verdict(type: ProbeType, containerId: string): ProbeVerdict {
    for (const worker of this.#workers.values()) {
      const verdict = worker.type === type ? worker.verdictOf(containerId) : undefined;
      if (verdict) return verdict;
    }
    return undefined;
  }

  #start(pod: Pod, container: Container, type: ProbeType, probe: Probe | undefined): void {
    const key = `${type} ${container.name}`;
    if (probe && !this.#workers.has(key))
      this.#workers.set(key, new ProbeWorker(this.#environment, pod, container, type, probe));
  }
}

const bare = (containerId: string) => containerId.replace('containerd://', '');

/** Probes one container in one way. Follows pkg/kubelet/prober/worker.go, v1.33. */
class ProbeWorker {
  pod: Pod;
  readonly type: ProbeType;
  readonly #environment: ProbeEnvironment;
  readonly #container: Container;
  readonly #probe: Probe;
  #timer: Timer | undefined;
  #running = false;
  #again = false;
  #stopped = false;
  #onHold = false;
  #containerId = '';
  #verdict: ProbeVerdict;
  #last: boolean | undefined;
  #run = 0;

  constructor(environment: ProbeEnvironment, pod: Pod, container: Container, type: ProbeType, probe: Probe) {
    this.#environment = environment;
    this.pod = pod;
    this.#container = container;
    this.type = type;
    this.#probe = probe;
    const { process } = environment.context;
    // After a start of the kubelet its probes are spread.
    const age = process.clock.now() - environment.startedAt;
    this.#schedule(this.#periodMs > age ? Math.round(process.rng.float() * this.#periodMs) : 0);
  }

  get #periodMs(): number {
    return (this.#probe.periodSeconds ?? 10) * 1000;
  }

  verdictOf(containerId: string): ProbeVerdict {
    return containerId !== '' && containerId === this.#containerId ? this.#verdict : undefined;
  }

  /** Probes now instead of at the next tick. */
  trigger(): void {
    if (this.#stopped) return;
    if (this.#running) this.#again = true;
    else this.#schedule(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.stop();
  }

  #schedule(ms: number): void {
    this.#timer?.stop();
    const { process } = this.#environment.context;
    const name = `${this.type.toLowerCase()} probe of ${this.#container.name}`;
    this.#timer = process.clock.afterFunc(ms, name, () => {
      this.#running = true;
      process.spawn(name, async () => {
        const goOn = await this.#tick();
        this.#running = false;
        if (!goOn) this.stop();
        if (this.#stopped) return;
        this.#schedule(this.#again ? 0 : this.#periodMs);
        this.#again = false;
      });
    });
  }

  /** One round; false: never again. */
  async #tick(): Promise<boolean> {
    const { context, status: statusOf } = this.#environment;
    const uid = this.pod.metadata.uid ?? '';
    const status = statusOf(uid);
    if (!status) return true;
    if (status.phase === 'Failed' || status.phase === 'Succeeded') return false;
    const { name } = this.#container;
    const own = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])].find(
      (one) => one.name === name,
    );
    const containerId = bare(own?.containerID ?? '');
    if (!own || containerId === '') return true;
    if (containerId !== this.#containerId) {
      this.#containerId = containerId;
      this.#set(this.type === 'Readiness' ? 'failure' : this.type === 'Liveness' ? 'success' : 'unknown', 0);
      this.#onHold = false;
    }
    if (this.#onHold) return true;
    const { running, terminated } = own.state ?? {};
    if (!running) {
      this.#set('failure', 0);
      return !terminated || this.pod.spec.restartPolicy !== 'Never' || isRestartableInitContainer(this.#container);
    }
    if (this.pod.metadata.deletionTimestamp && this.type !== 'Readiness') {
      this.#set('success', 0);
      return false;
    }
    const age = Math.floor((context.now - Date.parse(running.startedAt ?? '')) / 1000);
    if (age < (this.#probe.initialDelaySeconds ?? 0)) return true;
    if (own.started === (this.type === 'Startup')) return true;

    const { tracer } = context.process;
    const { namespace = '', name: podName = '' } = this.pod.metadata;
    const span = tracer.start(
      'work',
      context.component,
      `${this.type.toLowerCase()} probe of ${namespace}/${podName} ${name}`,
      0,
      { namespace, pod: podName, container: name },
    );
    const outcome = await this.#probeOnce(status, span);
    tracer.end(span, { result: outcome === undefined ? 'unknown' : outcome ? 'success' : 'failure' });
    if (outcome === undefined || this.#stopped) return true;
    if (outcome === this.#last) this.#run++;
    else {
      this.#last = outcome;
      this.#run = 1;
    }
    const threshold = (outcome ? this.#probe.successThreshold : this.#probe.failureThreshold) ?? (outcome ? 1 : 3);
    if (this.#run < threshold) return true;
    this.#set(outcome ? 'success' : 'failure', span);
    if ((this.type === 'Liveness' && !outcome) || this.type === 'Startup') {
      this.#onHold = true;
      this.#run = 0;
    }
    return true;
  }

  #set(verdict: NonNullable<ProbeVerdict>, cause: SpanId): void {
    if (this.#verdict === verdict && cause !== 0) return;
    const before = this.#verdict;
    this.#verdict = verdict;
    if (before !== verdict)
      this.#environment.changed(this.pod.metadata.uid ?? '', this.type, this.#containerId, verdict, cause);
  }

  /** Whether the container is well; undefined when that cannot be told. Says in an Event what is wrong. */
  async #probeOnce(status: PodStatus, cause: SpanId): Promise<boolean | undefined> {
    const { context } = this.#environment;
    const event = (reason: string, message: string) =>
      context.podEvent(this.pod, 'Warning', reason, message, cause, containerFieldPath(this.pod, this.#container.name));
    let failure = '';
    for (let i = 0; i < RETRIES; i++) {
      try {
        const result = await this.#ask(status);
        if (result.warning !== undefined) event('ProbeWarning', `${this.type} probe warning: ${result.warning}`);
        if (result.failure === undefined) return true;
        event('Unhealthy', `${this.type} probe failed: ${result.failure}`);
        return false;
      } catch (error) {
        failure = (error as Error).message;
      }
    }
    event('Unhealthy', `${this.type} probe errored and resulted in unknown state: ${failure}`);
    return undefined;
  }

  async #ask(status: PodStatus): Promise<{ readonly failure?: string; readonly warning?: string }> {
    const { context, runtime, network } = this.#environment;
    const { exec, httpGet: http, tcpSocket, grpc } = this.#probe;
    const timeoutMs = (this.#probe.timeoutSeconds ?? 1) * 1000;
    if (exec) {
      const env = new Map((this.#container.env ?? []).map(({ name, value }) => [name, value]));
      const command = (exec.command ?? []).map((word) => expand(word, (name) => env.get(name)));
      try {
        const { stdout, stderr, exitCode } = await runtime.execSync(this.#containerId, command, timeoutMs);
        return exitCode === 0 ? {} : { failure: (decodeUtf8(stdout) + decodeUtf8(stderr)).slice(0, MAX_OUTPUT) };
      } catch (error) {
        if (!(error instanceof CriError) || error.code !== 'DeadlineExceeded') throw error;
        return { failure: `command timed out: "${command.join(' ')}" timed out after ${goDuration(timeoutMs)}` };
      }
    }
    if (http) {
      const answer = await httpGet(
        context.process,
        network,
        http,
        this.#container,
        status.podIP ?? '',
        'kube-probe/1.33',
        timeoutMs,
        { probe: true },
      );
      if (typeof answer === 'string') return { failure: answer };
      if (answer.status >= 200 && answer.status < 300) return {};
      if (answer.status >= 300 && answer.status < 400)
        return { warning: `Probe terminated redirects, Response body: ${decodeUtf8(answer.body)}` };
      return { failure: `HTTP probe failed with statuscode: ${answer.status}` };
    }
    if (tcpSocket) {
      const endpoint = {
        address: tcpSocket.host || (status.podIP ?? ''),
        port: containerPort(tcpSocket.port, this.#container),
      };
      try {
        (await network.connect(context.process, endpoint, timeoutMs, { probe: true })).close();
        return {};
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        return { failure: dialError(`${endpoint.address}:${endpoint.port}`, error) };
      }
    }
    throw new Error(grpc ? 'gRPC probes are not emulated in this cluster' : 'missing probe handler');
  }
}
