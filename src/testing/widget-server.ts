import { type ApiObject, defineResource, type ResourceDefinition } from '#apimachinery/resource.ts';
import type { Schema, StructSchema } from '#apimachinery/schema.ts';
import { type ApiServer, type ApiServerOptions, createApiServer } from '#apiserver/api-server.ts';
import { type LatencyProfile, latencyOf } from '#base/latency.ts';
import { Process, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { Client } from '#client/client.ts';
import { Etcd } from '#etcd/etcd.ts';

/** A made-up kind for tests of the generic API server. */
export interface Widget extends ApiObject {
  readonly spec?: {
    readonly size?: number;
    readonly nodeName?: string;
    readonly parts?: readonly { readonly name: string; readonly count?: number }[];
    readonly tags?: readonly string[];
  };
  readonly status?: { readonly phase?: string };
}

export const text: Schema = { kind: 'scalar', type: 'string' };
const integer: Schema = { kind: 'scalar', type: 'int32' };
const structOf = (fields: Readonly<Record<string, Schema>>): StructSchema => ({
  kind: 'struct',
  fields: new Map(Object.entries(fields).map(([name, schema]) => [name, { schema, omitEmpty: true }])),
});
const strings: Schema = { kind: 'map', values: text };

export const widgetSchema: StructSchema = structOf({
  kind: text,
  apiVersion: text,
  metadata: structOf({
    name: text,
    generateName: text,
    namespace: text,
    uid: text,
    resourceVersion: text,
    generation: integer,
    creationTimestamp: { kind: 'scalar', type: 'time' },
    deletionTimestamp: { kind: 'scalar', type: 'time' },
    deletionGracePeriodSeconds: integer,
    labels: strings,
    annotations: strings,
    finalizers: { kind: 'list', items: text, listType: 'set' },
    managedFields: { kind: 'list', items: { kind: 'scalar', type: 'any' } },
  }),
  spec: structOf({
    size: integer,
    nodeName: text,
    parts: { kind: 'list', items: structOf({ name: text, count: integer }), listType: 'map', mapKeys: ['name'] },
    tags: { kind: 'list', items: text, listType: 'set' },
  }),
  status: structOf({ phase: text }),
});

/** Widgets: namespaced, with a status, a generation, and a selectable node. */
export const widgets = defineResource<Widget>({
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  singular: 'widget',
  scope: 'Namespaced',
  schema: 'com.example.v1.Widget',
  validate: ({ spec }) =>
    (spec?.size ?? 0) < 0
      ? [{ type: 'Invalid', field: 'spec.size', text: `Invalid value: ${spec?.size}: must not be negative` }]
      : [],
  strategy: {
    prepareForCreate: (widget) => ({ ...widget, metadata: { ...widget.metadata, generation: 1 } }),
    prepareForUpdate: (next, previous) => {
      const { status: _status, ...rest } = next;
      const changed = JSON.stringify(next.spec) !== JSON.stringify(previous.spec);
      const generation = (previous.metadata.generation ?? 0) + (changed ? 1 : 0);
      return {
        ...rest,
        metadata: { ...rest.metadata, generation },
        ...(previous.status ? { status: previous.status } : {}),
      };
    },
    gracefulDeletion: true,
    gracePeriodSeconds: (_widget, requested) => requested,
    returnsDeletedObject: true,
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({
        ...previous,
        metadata: next.metadata,
        ...(next.status ? { status: next.status } : {}),
      }),
      validateUpdate: () => [],
    },
  },
  selectableFields: { 'spec.nodeName': ({ spec }) => spec?.nodeName ?? '' },
});

export interface WidgetServer {
  readonly pump: Pump;
  readonly root: Process;
  /** The API server's. */
  readonly server: Process;
  readonly etcd: Etcd<ApiObject>;
  readonly api: ApiServer;
  readonly client: Client;
  /** Another program that asks. */
  clientOf(userAgent: string): Client;
  /** Runs a task to its end (or to the end of `ms` of virtual time); rethrows its error. */
  run(task: (client: Client, process: Process) => Promise<void>, ms?: number): Promise<void>;
}

/** An API server with Widgets (and what is given) on an empty etcd, without HTTP. */
export function startWidgetServer(
  options: Partial<ApiServerOptions> & {
    readonly profile?: LatencyProfile;
    readonly strictHop?: () => Promise<void>;
    /** On the etcd and the pump of another server, which has exited. */
    readonly on?: WidgetServer;
    readonly resources?: readonly ResourceDefinition[];
  } = {},
): WidgetServer {
  const pump =
    options.on?.pump ??
    new Pump({ epoch: Date.UTC(2025, 5, 1), ...(options.strictHop ? { strictHop: options.strictHop } : {}) });
  const root =
    options.on?.root ?? new Process('cluster', { pump, rng: new Rng(1), tracer: new Tracer(() => pump.now) });
  const etcd = options.on?.etcd ?? new Etcd<ApiObject>({ process: root.child('etcd') });
  const server = root.child('kube-apiserver');
  const api = createApiServer({
    process: server,
    etcd,
    latency: latencyOf(options.profile ?? 'none'),
    schemaOf: () => widgetSchema,
    ...options,
    resources: [widgets as unknown as ResourceDefinition, ...(options.resources ?? [])],
  });
  const caller = root.child('tester');
  const clientOf = (userAgent: string) => new Client(api.backend, { user: { name: 'me', groups: [] }, userAgent });
  const client = clientOf('tester/v1');
  return {
    pump,
    root,
    server,
    etcd,
    api,
    client,
    clientOf,
    async run(task, ms = 600_000) {
      let outcome: { readonly error?: unknown } | undefined;
      caller.spawn('test', async () => {
        try {
          await task(client, caller);
          outcome = {};
        } catch (error) {
          outcome = { error };
        }
      });
      await pump.run({ until: pump.now + ms, shouldYield: () => outcome !== undefined });
      if (!outcome) throw new Error('the task did not end in time');
      if ('error' in outcome) throw outcome.error;
    },
  };
}
