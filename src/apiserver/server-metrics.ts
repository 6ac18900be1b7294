import type { ApiBackend, ApiRequest } from '#apimachinery/api-request.ts';
import { StatusError } from '#apimachinery/status-error.ts';

/** Upper bounds of apiserver_request_duration_seconds. Follows endpoints/metrics, v1.33. */
const DURATIONS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
] as const;

const METHODS: Readonly<Record<ApiRequest['verb'], string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  connect: 'CONNECT',
};

/** What a request is counted by. */
export interface RequestLabels {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly scope: string;
  readonly dryRun: boolean;
}

/** All that is counted by the same labels. */
interface Series {
  readonly labels: RequestLabels;
  readonly codes: Map<number, number>;
  readonly buckets: number[];
  sum: number;
  count: number;
  running: number;
}

/** A value of a metric that somebody else keeps. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly samples: () => Iterable<Sample>;
}

/** The labels of a request below the encoding floor. */
export function labelsOf({
  verb,
  patch,
  group,
  version,
  resource,
  subresource = '',
  namespace,
  name,
  options,
}: ApiRequest): RequestLabels {
  const ofOne = name !== undefined || verb === 'create';
  return {
    verb: verb === 'patch' && patch?.type === 'application/apply-patch+yaml' ? 'APPLY' : METHODS[verb],
    group,
    version,
    resource,
    subresource,
    scope: ofOne ? 'resource' : namespace ? 'namespace' : 'cluster',
    dryRun: options.dryRun === true,
  };
}

/**
 * Counts requests as Prometheus metrics. Durations are virtual. Names and labels are those of the stable metrics of
 * kube-apiserver v1.33.
 */
export class ServerMetrics {
  readonly #series = new Map<string, Series>();
  readonly #inflight = { mutating: 0, readOnly: 0 };
  readonly #gauges: Gauge[] = [];

  /** Adds metrics that are read when somebody asks. */
  add(gauge: Gauge): void {
    this.#gauges.push(gauge);
  }

  /** A request begins; the function that is returned is told its end, in ms of duration. */
  begin(labels: RequestLabels): (code: number, durationMs: number) => void {
    const series = this.#of(labels);
    const { verb } = labels;
    const kind = verb === 'GET' || verb === 'LIST' || verb === 'WATCH' ? 'readOnly' : 'mutating';
    this.#inflight[kind]++;
    return (code, durationMs) => {
      this.#inflight[kind]--;
      series.codes.set(code, (series.codes.get(code) ?? 0) + 1);
      if (verb === 'WATCH' || verb === 'CONNECT') return;
      const seconds = durationMs / 1000;
      series.sum += seconds;
      series.count++;
      const at = DURATIONS.findIndex((bound) => seconds <= bound);
      if (at >= 0) series.buckets[at] = (series.buckets[at] as number) + 1;
    };
  }

  /** A watch or a connection begins; the function that is returned is called at its end. */
  beginLong(labels: RequestLabels): () => void {
    const series = this.#of(labels);
    series.running++;
    return () => series.running--;
  }

  #of(labels: RequestLabels): Series {
    const { verb, group, version, resource, subresource, scope, dryRun } = labels;
    const key = `${group}/${version}/${resource}/${subresource}/${verb}/${scope}/${dryRun}`;
    let series = this.#series.get(key);
    if (!series) {
      series = { labels, codes: new Map(), buckets: DURATIONS.map(() => 0), sum: 0, count: 0, running: 0 };
      this.#series.set(key, series);
    }
    return series;
  }

  /** All of it in Prometheus' text format. */
  render(): string {
    const lines: string[] = [];
    const all = [...this.#series.values()];
    const metric = (name: string, type: string, help: string, samples: Iterable<string>) => {
      const sorted = [...samples].sort();
      if (sorted.length) lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...sorted);
    };
    const lined = (name: string, values: Iterable<readonly [string, number]>) =>
      [...values].map(([labels, value]) => (labels ? `${name}{${labels}} ${value}` : `${name} ${value}`));
    metric(
      'apiserver_current_inflight_requests',
      'gauge',
      '[STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in last second.',
      lined(
        'apiserver_current_inflight_requests',
        Object.entries(this.#inflight).map(([kind, value]) => [`request_kind="${kind}"`, value]),
      ),
    );
    metric(
      'apiserver_longrunning_requests',
      'gauge',
      '[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.',
      lined(
        'apiserver_longrunning_requests',
        all
          .filter(({ labels: { verb } }) => LONG_RUNNING.has(verb))
          .map(({ labels, running }) => [place(labels), running]),
      ),
    );
    const timed = all.filter(({ count }) => count > 0).map((series) => [dryRunAnd(series.labels), series] as const);
    if (timed.length) {
      const name = 'apiserver_request_duration_seconds';
      lines.push(
        `# HELP ${name} [STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.`,
        `# TYPE ${name} histogram`,
      );
      for (const [labels, { buckets, sum, count }] of timed.sort(([a], [b]) => (a < b ? -1 : 1))) {
        let below = 0;
        for (const [i, bound] of DURATIONS.entries()) {
          below += buckets[i] as number;
          lines.push(`${name}_bucket{${labels},le="${bound}"} ${below}`);
        }
        lines.push(`${name}_bucket{${labels},le="+Inf"} ${count}`);
        lines.push(`${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`);
      }
    }
    metric(
      'apiserver_request_total',
      'counter',
      '[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
      lined(
        'apiserver_request_total',
        all.flatMap(({ labels, codes }) =>
          [...codes].map(([code, count]) => [`code="${code}",${dryRunAnd(labels)}`, count] as const),
        ),
      ),
    );
    for (const { name, type, help, samples } of this.#gauges) {
      metric(
        name,
        type,
        help,
        lined(
          name,
          [...samples()].map(({ labels = {}, value }) => [text(labels), value]),
        ),
      );
    }
    return `${lines.join('\n')}\n`;
  }
}

const LONG_RUNNING: ReadonlySet<string> = new Set(['WATCH', 'CONNECT']);

const place = ({ group, resource, scope, subresource, verb, version }: RequestLabels): string =>
  text({ component: 'apiserver', group, resource, scope, subresource, verb, version });

const dryRunAnd = ({ dryRun, group, resource, scope, subresource, verb, version }: RequestLabels): string =>
  text({
    component: 'apiserver',
    dry_run: dryRun ? 'All' : '',
    group,
    resource,
    scope,
    subresource,
    verb,
    version,
  });

/** The backend with its requests counted: those of components, which do not come over HTTP. `now`: virtual time, ms. */
export function metered(backend: ApiBackend, metrics: ServerMetrics, now: () => number): ApiBackend {
  const counted = async <R>(request: ApiRequest, serve: () => Promise<R>): Promise<R> => {
    const started = now();
    const end = metrics.begin(labelsOf(request));
    let code = request.verb === 'create' ? 201 : 200;
    try {
      return await serve();
    } catch (error) {
      code = error instanceof StatusError ? error.code : 500;
      throw error;
    } finally {
      end(code, now() - started);
    }
  };
  return {
    request: (request) => counted(request, () => backend.request(request)),
    list: (request) => counted(request, () => backend.list(request)),
    deleteCollection: (request) => counted(request, () => backend.deleteCollection(request)),
    connect: (request) => counted(request, () => backend.connect(request)),
    async watch(request, sink) {
      let over = (): void => {};
      const handle = await counted(request, () =>
        backend.watch(request, {
          event: (event) => sink.event(event),
          closed(error) {
            over();
            sink.closed(error);
          },
        }),
      );
      over = once(metrics.beginLong(labelsOf(request)));
      return {
        stop() {
          over();
          handle.stop();
        },
      };
    },
  };
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
}

const text = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`)
    .join(',');
