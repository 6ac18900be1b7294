import type { JsonObject } from '#apimachinery/json.ts';
import type { Command, Invocation } from '../../command.ts';
import { createFlags, createObject, knownResource, nameArgument, newMetadata } from '../../creating.ts';
import { NoResourceMatchError } from '../../errors.ts';
import type { Flag } from '../../flags.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import { parseLabelMap } from '../../label-map.ts';

const GROUP = 'rbac.authorization.k8s.io';

const ruleFlags: readonly Flag[] = [
  {
    name: 'resource',
    type: 'stringSlice',
    usage: 'Resource types that the rule is about, such as pods or deployments.apps.',
  },
  {
    name: 'resource-name',
    type: 'stringArray',
    usage: 'Names of the only objects that the rule is about; may be repeated.',
  },
  { name: 'verb', type: 'stringSlice', usage: 'What the rule allows, such as get, list or *.' },
];

export const createRole: Command = {
  name: 'role',
  short: 'Create a role with single rule',
  examples: `
# A role that may read Pods
kubectl create role reader --verb=get --verb=list --verb=watch --resource=pods

# One that may read two Pods only
kubectl create role reader --verb=get --resource=pods --resource-name=web --resource-name=db

# One for a type of another group, and for a subresource
kubectl create role scaler --verb=get,update --resource=deployments.apps,deployments.apps/scale`,
  usage:
    'role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] [--dry-run=server|client|none]',
  flags: [...createFlags, ...ruleFlags],
  completion: 'none',
  run: async (invocation) => {
    const name = nameArgument(invocation);
    const request = requestOf(invocation);
    if (name === '') throw new Error('name must be specified');
    if (request.verbs.length === 0) throw new Error('at least one verb must be specified');
    warnOfVerbs(invocation, request.verbs);
    if (request.resources.length === 0) throw new Error('at least one resource must be specified');
    await checkResources(invocation, request);
    await createObject(invocation, knownResource(GROUP, 'v1', 'roles', 'Role'), {
      kind: 'Role',
      apiVersion: `${GROUP}/v1`,
      metadata: await newMetadata(invocation, name),
      rules: await rulesOf(invocation, request),
    });
  },
};

export const createClusterRole: Command = {
  name: 'clusterrole',
  short: 'Create a cluster role',
  examples: `
# A cluster role that may read Pods
kubectl create clusterrole reader --verb=get,list,watch --resource=pods

# One that may read a path of the server
kubectl create clusterrole logs --verb=get --non-resource-url=/logs/*

# One that is made of others
kubectl create clusterrole monitoring --aggregation-rule="rbac.example.com/aggregate-to-monitoring=true"`,
  usage:
    'clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename] [--dry-run=server|client|none]',
  flags: [
    ...createFlags,
    ...ruleFlags,
    {
      name: 'aggregation-rule',
      type: 'string',
      check: parseLabelMap,
      usage: 'Labels of the cluster roles that this one is made of.',
    },
    { name: 'non-resource-url', type: 'stringSlice', usage: 'Paths of the server that the rule is about.' },
  ],
  completion: 'none',
  run: async (invocation) => {
    const { flags } = invocation;
    const name = nameArgument(invocation);
    const request = requestOf(invocation);
    const urls = [...new Set(flags.strings('non-resource-url'))];
    const labels = parseLabelMap(flags.string('aggregation-rule'));
    if (name === '') throw new Error('name must be specified');
    if (Object.keys(labels).length > 0) {
      if (urls.length > 0 || request.verbs.length > 0 || request.resources.length > 0 || request.names.length > 0)
        throw new Error(
          'aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames',
        );
    } else await checkClusterRole(invocation, request, urls);
    const rules = async () => [
      ...(await rulesOf(invocation, request)),
      ...(urls.length > 0 ? [{ verbs: request.verbs, nonResourceURLs: urls }] : []),
    ];
    await createObject(invocation, knownResource(GROUP, 'v1', 'clusterroles', 'ClusterRole', false), {
      kind: 'ClusterRole',
      apiVersion: `${GROUP}/v1`,
      metadata: { name, creationTimestamp: null },
      ...(Object.keys(labels).length > 0
        ? { rules: null, aggregationRule: { clusterRoleSelectors: [{ matchLabels: labels }] } }
        : { rules: await rules() }),
    });
  },
};

const RESOURCE_VERBS = [
  '*',
  'get',
  'delete',
  'list',
  'create',
  'update',
  'patch',
  'watch',
  'proxy',
  'deletecollection',
  'use',
  'bind',
  'escalate',
  'impersonate',
];
const URL_VERBS = ['*', 'get', 'post', 'put', 'delete', 'patch', 'head', 'options'];

/** Verbs that only mean something for these types, as `resource.group`. */
const SPECIAL_VERBS: Readonly<Record<string, readonly string[]>> = {
  use: ['podsecuritypolicies.policy', 'podsecuritypolicies.extensions'],
  bind: [`roles.${GROUP}`, `clusterroles.${GROUP}`],
  escalate: [`roles.${GROUP}`, `clusterroles.${GROUP}`],
  impersonate: ['users.', 'serviceaccounts.', 'groups.', 'userextras.authentication.k8s.io'],
};

interface ResourceRequest {
  readonly resource: string;
  readonly group: string;
  readonly subresource: string;
}

interface RuleRequest {
  readonly verbs: readonly string[];
  readonly resources: readonly ResourceRequest[];
  readonly names: readonly string[];
}

function requestOf({ flags }: Invocation): RuleRequest {
  const verbs = flags.strings('verb');
  const resources: ResourceRequest[] = [];
  for (const given of flags.strings('resource')) {
    const [type = '', subresource] = given.split(/\/(.*)/s);
    const [resource = '', group] = type.split(/\.(.*)/s);
    const request = { resource, group: group ?? '', subresource: subresource ?? '' };
    if (given === '*') {
      resources.splice(0, resources.length, request);
      break;
    }
    resources.push(request);
  }
  return {
    verbs: verbs.includes('*') ? ['*'] : [...new Set(verbs)],
    resources,
    names: [...new Set(flags.strings('resource-name'))],
  };
}

function warnOfVerbs(invocation: Invocation, verbs: readonly string[]): void {
  for (const verb of verbs)
    if (!RESOURCE_VERBS.includes(verb)) invocation.complain(`Warning: '${verb}' is not a standard resource verb`);
}

/** The type's full name as the server has it, or as it was written when the server has no such type. */
async function known(
  invocation: Invocation,
  { resource, group }: ResourceRequest,
): Promise<{ readonly resource: string; readonly group: string; readonly error?: Error }> {
  const mapper = await invocation.mapper();
  try {
    const found = await mapper.forArgument(group === '' ? resource : `${resource}.${group}`);
    return { resource: found.name, group: found.group };
  } catch (error) {
    if (error instanceof NoResourceMatchError) return { resource, group, error };
    throw error;
  }
}

async function checkResources(invocation: Invocation, { verbs, resources }: RuleRequest): Promise<void> {
  for (const request of resources) {
    if (request.resource === '') throw new Error('resource must be specified if apiGroup/subresource specified');
    if (request.resource === '*') return;
    const { resource, group, error } = await known(invocation, request);
    let failure = error;
    for (const verb of verbs) {
      const allowed = SPECIAL_VERBS[verb];
      if (!allowed) continue;
      if (!allowed.includes(`${resource}.${group}`))
        throw new Error(`can not perform '${verb}' on '${resource}' in group '${group}'`);
      failure = undefined;
    }
    if (failure) throw failure;
  }
}

async function checkClusterRole(invocation: Invocation, request: RuleRequest, urls: readonly string[]): Promise<void> {
  const { verbs, resources } = request;
  if (verbs.length === 0) throw new Error('at least one verb must be specified');
  if (resources.length === 0 && urls.length === 0)
    throw new Error('one of resource or nonResourceURL must be specified');
  if (resources.length > 0) {
    warnOfVerbs(invocation, verbs);
    await checkResources(invocation, request);
  }
  if (urls.length === 0) return;
  for (const verb of verbs)
    if (!URL_VERBS.includes(verb)) throw new Error(`invalid verb: '${verb}' for nonResourceURL`);
  for (const url of urls) {
    if (url === '*') continue;
    if (!url.startsWith('/')) throw new Error('nonResourceURL should start with /');
    if (url.slice(0, -1).includes('*'))
      throw new Error("nonResourceURL only supports wildcard matches when '*' is at the end");
  }
}

/** One rule for each API group. */
async function rulesOf(invocation: Invocation, { verbs, resources, names }: RuleRequest): Promise<JsonObject[]> {
  const byGroup = new Map<string, string[]>();
  for (const request of resources) {
    const { resource, group } = await known(invocation, request);
    const full = request.subresource === '' ? resource : `${resource}/${request.subresource}`;
    const listed = byGroup.get(group) ?? [];
    byGroup.set(group, listed.includes(full) ? listed : [...listed, full]);
  }
  return [...byGroup]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([group, listed]) => ({
      verbs,
      apiGroups: [group],
      resources: listed,
      ...(names.length > 0 ? { resourceNames: names } : {}),
    }));
}
