import {
  AUTO_UPDATE,
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  suggestedFlowSchemas,
  suggestedPriorityLevels,
} from '#api/flowcontrol/v1/bootstrap.ts';
import { compareFlowSchemas, flowSchemas } from '#api/flowcontrol/v1/flow-schema.ts';
import { priorityLevelConfigurations } from '#api/flowcontrol/v1/priority-level-configuration.ts';
import type {
  FlowcontrolV1Subject,
  FlowSchema,
  FlowSchemaCondition,
  NonResourcePolicyRule,
  PriorityLevelConfiguration,
  ResourcePolicyRule,
} from '#api/generated/types.ts';
import type { UserInfo } from '#apimachinery/api-request.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import type { ApiServer } from '#apiserver/api-server.ts';
import type { Flow, FlowRequest } from '#apiserver/flow-control.ts';
import { formatTime } from '#base/clock.ts';
import type { Process } from '#base/pump.ts';
import { Client } from '#client/client.ts';
import { WorkQueue } from '#client/work-queue.ts';

/** `--max-requests-inflight` and `--max-mutating-requests-inflight` together. */
const SERVER_SEATS = 600;
/** How long what administrators did to the server's own objects may stay, ms. */
const ENSURE_MS = 60_000;
const USER: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] };
const PRODUCER = { user: USER, userAgent: 'api-priority-and-fairness-config-producer-v1' };
const CONSUMER = { user: USER, userAgent: 'api-priority-and-fairness-config-consumer-v1' };

/** Everybody's level before there are any. */
const NOWHERE: Omit<Flow, 'key'> = { level: '', seats: SERVER_SEATS, queueLength: 300, headers: {} };

interface Rule {
  readonly schema: FlowSchema;
  readonly flow: Omit<Flow, 'key'>;
}

/**
 * What FlowSchemas and PriorityLevelConfigurations say: makes those that every server has, keeps their statuses, and
 * says where requests belong. Follows pkg/registry/flowcontrol/ensurer and util/flowcontrol, v1.33.
 */
export class FlowConfiguration {
  readonly #process: Process;
  readonly #api: ApiServer;
  readonly #queue: WorkQueue;
  /** In the order in which they are asked; undefined: not known any more. */
  #rules: readonly Rule[] | undefined;

  constructor(process: Process, api: ApiServer) {
    this.#process = process;
    this.#api = api;
    this.#queue = new WorkQueue(process, 'priority-and-fairness');
  }

  /** Begins to keep them. */
  start(): void {
    const changed = () => {
      this.#rules = undefined;
      this.#queue.add('statuses');
      this.#queue.addAfter('ensure', ENSURE_MS);
    };
    this.#api.known.onChange(flowSchemas, changed);
    this.#api.known.onChange(priorityLevelConfigurations, changed);
    this.#process.spawn('priority and fairness', async () => {
      for (;;) {
        const { key, span } = await this.#queue.take();
        try {
          if (key === 'ensure') await this.#ensure();
          else await this.#writeStatuses();
          this.#queue.forget(key);
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          this.#queue.addRateLimited(key, span);
        }
        this.#queue.done(key);
      }
    });
  }

  /** Says where a request belongs. */
  readonly classify = (request: FlowRequest): Flow => {
    this.#rules ??= this.#readRules();
    const { user, namespace = '' } = request;
    for (const { schema, flow } of this.#rules) {
      if (!matches(schema, request)) continue;
      const { type } = schema.spec.distinguisherMethod ?? {};
      const of = type === 'ByUser' ? user.name : type === 'ByNamespace' ? namespace : '';
      return { ...flow, key: `${schema.metadata.name}/${of}` };
    }
    return { ...NOWHERE, key: user.name };
  };

  #readRules(): Rule[] {
    const levels = this.#api.known.readAll(priorityLevelConfigurations);
    const shares = levels.reduce((sum, level) => sum + sharesOf(level), 0);
    const flows = new Map(
      levels.map((level) => {
        const { metadata, spec } = level;
        const { queuing } = spec.limited?.limitResponse ?? {};
        const flow = {
          level: metadata.name ?? '',
          seats: spec.limited && Math.ceil((SERVER_SEATS * sharesOf(level)) / Math.max(shares, 1)),
          queueLength: (queuing?.handSize ?? 0) * (queuing?.queueLengthLimit ?? 0),
          headers: { 'x-kubernetes-pf-prioritylevel-uid': metadata.uid ?? '' },
        };
        return [metadata.name, flow];
      }),
    );
    return this.#api.known
      .readAll(flowSchemas)
      .toSorted(compareFlowSchemas)
      .flatMap((schema) => {
        const flow = flows.get(schema.spec.priorityLevelConfiguration.name);
        const uid = { 'x-kubernetes-pf-flowschema-uid': schema.metadata.uid ?? '' };
        return flow ? [{ schema, flow: { ...flow, headers: { ...uid, ...flow.headers } } }] : [];
      });
  }

  /** Makes those of the server's own objects that do not exist. Throws when etcd does not run. */
  seed(): void {
    const by = { ...PRODUCER, cause: 0 };
    const known = new Set(
      [...mandatoryPriorityLevels, ...suggestedPriorityLevels].map(({ metadata }) => metadata.name),
    );
    const now = formatTime(this.#process.clock.now());
    const schemas = [...mandatoryFlowSchemas, ...suggestedFlowSchemas].map((schema) => {
      const { name } = schema.spec.priorityLevelConfiguration;
      return { ...schema, status: { conditions: [dangling(name, !known.has(name), now)] } };
    });
    const levels = this.#api.seed(
      priorityLevelConfigurations,
      [...mandatoryPriorityLevels, ...suggestedPriorityLevels],
      by,
    );
    const existing = [...levels, ...this.#api.seed(flowSchemas, schemas, by)];
    if (existing.length > 0) this.#queue.add('ensure');
  }

  /** Gives the server's own objects back what they lack, as far as administrators may not have it otherwise. */
  async #ensure(): Promise<void> {
    const client = new Client(this.#api.local, PRODUCER);
    const keep = async <T extends ApiObject & { readonly spec: unknown }>(
      resource: ResourceDefinition<T>,
      mandatory: readonly T[],
      suggested: readonly T[],
      specOf: (own: T, existing: T) => T['spec'] = ({ spec }) => spec,
    ) => {
      const missing = new Set([...mandatory, ...suggested]);
      for (const existing of this.#api.known.readAll(resource)) {
        const { name = '', annotations, generation } = existing.metadata;
        const isIt = (one: T) => one.metadata.name === name;
        const own = mandatory.find(isIt) ?? suggested.find(isIt);
        if (own) missing.delete(own);
        const says = annotations?.[AUTO_UPDATE];
        if (!own) {
          if (says === 'true') await client.delete(resource, { name });
          continue;
        }
        const updates = mandatory.includes(own) || (isBoolean(says) ? says === 'true' : generation === 1);
        const spec = updates ? specOf(own, existing) : existing.spec;
        if (says === String(updates) && semanticEqual(spec, existing.spec)) continue;
        const metadata = { ...existing.metadata, annotations: { ...annotations, [AUTO_UPDATE]: String(updates) } };
        await client.update(resource, { ...existing, metadata, spec });
      }
      for (const own of missing) await client.create(resource, own);
    };
    await keep(priorityLevelConfigurations, mandatoryPriorityLevels, suggestedPriorityLevels, (own, existing) =>
      own.metadata.name === 'exempt' && existing.spec.exempt ? { ...own.spec, exempt: existing.spec.exempt } : own.spec,
    );
    await keep(flowSchemas, mandatoryFlowSchemas, suggestedFlowSchemas);
  }

  /** Says of each FlowSchema whether its level exists. */
  async #writeStatuses(): Promise<void> {
    const client = new Client(this.#api.local, CONSUMER);
    const names = new Set(this.#api.known.readAll(priorityLevelConfigurations).map(({ metadata }) => metadata.name));
    for (const schema of this.#api.known.readAll(flowSchemas)) {
      const { name } = schema.spec.priorityLevelConfiguration;
      const conditions = schema.status?.conditions ?? [];
      const old = conditions.find(({ type }) => type === 'Dangling');
      const next = dangling(name, !names.has(name), formatTime(this.#process.clock.now()));
      if (old && old.status === next.status && old.reason === next.reason && old.message === next.message) continue;
      const others = conditions.filter((condition) => condition !== old);
      await client.updateStatus(flowSchemas, { ...schema, status: { conditions: [...others, next] } });
    }
  }
}

const isBoolean = (text: string | undefined) => text === 'true' || text === 'false';

const sharesOf = ({ spec: { limited, exempt } }: PriorityLevelConfiguration) =>
  (limited ?? exempt)?.nominalConcurrencyShares ?? 0;

function dangling(level: string, isIt: boolean, lastTransitionTime: string): FlowSchemaCondition {
  const what = `This FlowSchema references the PriorityLevelConfiguration object named "${level}"`;
  return isIt
    ? {
        type: 'Dangling',
        status: 'True',
        lastTransitionTime,
        reason: 'NotFound',
        message: `${what} but there is no such object`,
      }
    : { type: 'Dangling', status: 'False', lastTransitionTime, reason: 'Found', message: `${what} and it exists` };
}

// Follows util/flowcontrol/rule.go, v1.33.

function matches({ spec }: FlowSchema, request: FlowRequest): boolean {
  return (spec.rules ?? []).some(({ subjects, resourceRules = [], nonResourceRules = [] }) => {
    if (!subjects.some((subject) => isSubject(subject, request.user))) return false;
    return request.path === undefined
      ? resourceRules.some((rule) => matchesResource(rule, request))
      : nonResourceRules.some((rule) => matchesPath(rule, request));
  });
}

const ACCOUNT = 'system:serviceaccount:';

function isSubject({ kind, user, group, serviceAccount }: FlowcontrolV1Subject, { name, groups }: UserInfo): boolean {
  if (kind === 'User') return user?.name === '*' || user?.name === name;
  if (kind === 'Group') return group !== undefined && (group.name === '*' || groups.includes(group.name));
  if (!serviceAccount) return false;
  const prefix = `${ACCOUNT}${serviceAccount.namespace}:`;
  return serviceAccount.name === '*' ? name.startsWith(prefix) : name === `${prefix}${serviceAccount.name}`;
}

const has = (list: readonly string[] | undefined, one: string) =>
  list !== undefined && ((list.length === 1 && list[0] === '*') || list.includes(one));

function matchesResource(
  { verbs, apiGroups, resources, namespaces, clusterScope }: ResourcePolicyRule,
  { verb, group = '', resource = '', subresource, namespace }: FlowRequest,
): boolean {
  if (!has(verbs, verb) || !has(apiGroups, group)) return false;
  if (!has(resources, subresource === undefined ? resource : `${resource}/${subresource}`)) return false;
  return namespace ? has(namespaces, namespace) : clusterScope === true;
}

function matchesPath({ verbs, nonResourceURLs }: NonResourcePolicyRule, { verb, path = '' }: FlowRequest): boolean {
  if (!has(verbs, verb)) return false;
  return nonResourceURLs.some((url) => {
    if (url === '*' || url === path) return true;
    const prefix = url.endsWith('*') ? url.slice(0, -1) : url;
    return path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
  });
}
