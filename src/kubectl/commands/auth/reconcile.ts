import { formatValue } from '#apimachinery/go-format.ts';
import type { JsonObject } from '#apimachinery/json.ts';
import { missingRules, type PolicyRuleLike } from '#apimachinery/policy-rules.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import type { Command, Invocation } from '../../command.ts';
import { knownResource } from '../../creating.ts';
import { dryRunStrategy, withDryRun } from '../../dry-run.ts';
import { kindOf, object, objects, text, withMetadata } from '../../fields.ts';
import { dryRun, filenameFlags, printFlags } from '../../flag-groups.ts';
import { objectPrinter } from '../../printers/object-printer.ts';
import { buildResources } from '../../resource-builder.ts';
import { ResourceClient } from '../../resource-client.ts';

const GROUP = 'rbac.authorization.k8s.io';
const PROTECTED = 'rbac.authorization.kubernetes.io/autoupdate';
const KINDS: Readonly<
  Record<string, { readonly plural: string; readonly namespaced: boolean; readonly binds: boolean }>
> = {
  Role: { plural: 'roles', namespaced: true, binds: false },
  ClusterRole: { plural: 'clusterroles', namespaced: false, binds: false },
  RoleBinding: { plural: 'rolebindings', namespaced: true, binds: true },
  ClusterRoleBinding: { plural: 'clusterrolebindings', namespaced: false, binds: true },
};

export const reconcile: Command = {
  name: 'reconcile',
  short: 'Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects',
  long: `Bring roles and bindings to what files say.

 What is missing is created, with its namespace if need be. Roles get the rules that they lack, bindings the subjects;
 what they have beyond is only removed with --remove-extra-permissions and --remove-extra-subjects.`,
  examples: `
# What a file says
kubectl auth reconcile -f rbac.yaml`,
  usage: 'reconcile -f FILENAME',
  flags: [
    ...printFlags,
    dryRun,
    ...filenameFlags('that hold the objects.'),
    { name: 'remove-extra-permissions', type: 'bool', usage: 'Remove rules that the files do not have.' },
    { name: 'remove-extra-subjects', type: 'bool', usage: 'Remove subjects that the files do not have.' },
  ],
  completion: 'none',
  run: runReconcile,
};

async function runReconcile(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  if (flags.strings('filename').length === 0 && flags.string('kustomize') === '')
    throw new Error('must specify one of -f and -k');
  if (args.length > 0) throw new Error('no arguments are allowed');
  const strategy = dryRunStrategy(invocation);
  if (strategy === 'server') throw new Error('--dry-run=server for command reconcile is not supported yet');
  const printer = await objectPrinter(invocation, { declared: true });
  const config = await invocation.config();
  const result = await buildResources(invocation, {
    files: true,
    local: true,
    continueOnError: true,
    namespace: config.namespace,
    enforceNamespace: config.explicitNamespace,
    defaultNamespace: true,
    flatten: true,
  });
  await result.visit(async ({ object: wanted }) => {
    if (!wanted) return;
    const { group, version, kind } = kindOf(wanted);
    const known = group === GROUP ? KINDS[kind] : undefined;
    if (!known) return;
    if (version !== 'v1') throw new Error(`only ${GROUP}/v1 is supported: not *${version}.${kind}`);
    const resource = knownResource(GROUP, 'v1', known.plural, kind, known.namespaced);
    // As kubectl has it, only the file says the namespace.
    const client = new ResourceClient(await invocation.client(), resource, text(wanted, 'metadata', 'namespace'));
    const plan = planFor(invocation, wanted, await existing(client, text(wanted, 'metadata', 'name')), known.binds);
    const stored = strategy === 'client' || plan.isProtected ? plan.object : await carryOut(invocation, client, plan);
    printer.print({ ...stored, kind, apiVersion: `${GROUP}/v1` }, withDryRun('reconciled', strategy));
    report(invocation, plan);
  });
}

async function existing(client: ResourceClient, name: string): Promise<JsonObject | undefined> {
  try {
    return await client.get(name);
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined;
    throw error;
  }
}

interface Plan {
  readonly operation: 'none' | 'create' | 'update' | 'recreate';
  readonly object: JsonObject;
  readonly isProtected: boolean;
  /** What is told of it, in this order, as Go shows the values. */
  readonly notes: readonly (readonly [title: string, values: readonly string[]])[];
}

/** Follows component-helpers/auth/rbac/reconciliation, v1.33. */
function planFor({ flags }: Invocation, wanted: JsonObject, held: JsonObject | undefined, binds: boolean): Plan {
  const field = binds ? 'subjects' : 'rules';
  const removes = flags.bool(binds ? 'remove-extra-subjects' : 'remove-extra-permissions');
  const own = held ? objects(held, field) : [];
  const theirs = objects(wanted, field);
  const [missing, extra] = binds
    ? [subjectsWithout(theirs, own), subjectsWithout(own, theirs)]
    : [rulesWithout(theirs, own), rulesWithout(own, theirs)];
  const show = binds ? showSubject : showRule;
  const notes: Plan['notes'] = [
    [`missing ${field} added`, (held ? missing : theirs).map(show)],
    [`extra ${field} removed`, removes && held ? extra.map(show) : []],
  ];
  if (!held) return { operation: 'create', object: wanted, isProtected: false, notes };
  const isProtected = text(held, 'metadata', 'annotations', PROTECTED) === 'false';
  const plan = { isProtected, notes };
  if (binds && formatValue(object(held, 'roleRef')) !== formatValue(object(wanted, 'roleRef')))
    return { ...plan, operation: 'recreate', object: wanted };
  let next = held;
  for (const map of ['labels', 'annotations']) {
    const merged = { ...object(wanted, 'metadata', map), ...object(held, 'metadata', map) };
    if (Object.keys(merged).length > Object.keys(object(held, 'metadata', map)).length)
      next = withMetadata(next, map, merged);
  }
  if (missing.length > 0 || (removes && extra.length > 0)) {
    next = { ...next, [field]: removes ? theirs : [...own, ...missing] };
  }
  const selectors = objects(wanted, 'aggregationRule', 'clusterRoleSelectors');
  const heldSelectors = objects(held, 'aggregationRule', 'clusterRoleSelectors');
  const lacking = selectors.filter((one) => !heldSelectors.some((other) => formatValue(other) === formatValue(one)));
  if (lacking.length > 0) {
    next = { ...next, aggregationRule: { clusterRoleSelectors: [...heldSelectors, ...lacking] } };
  }
  return { ...plan, operation: next === held ? 'none' : 'update', object: next };
}

const rulesWithout = (rules: readonly JsonObject[], others: readonly JsonObject[]): readonly JsonObject[] =>
  missingRules(others as unknown as PolicyRuleLike[], rules as unknown as PolicyRuleLike[]) as unknown as JsonObject[];

const subjectKey = (subject: JsonObject) =>
  JSON.stringify(['kind', 'apiGroup', 'namespace', 'name'].map((field) => text(subject, field)));

function subjectsWithout(subjects: readonly JsonObject[], others: readonly JsonObject[]): readonly JsonObject[] {
  const known = new Set(others.map(subjectKey));
  return subjects.filter((subject) => !known.has(subjectKey(subject)));
}

const showRule = (rule: JsonObject): string => {
  const words = ['verbs', 'apiGroups', 'resources', 'resourceNames', 'nonResourceURLs'] as const;
  const shown = words.map((field) => `${field[0]?.toUpperCase()}${field.slice(1)}:${formatValue(rule[field] ?? [])}`);
  return `{${shown.join(' ').replace('ApiGroups', 'APIGroups')}}`;
};

const showSubject = (subject: JsonObject): string =>
  `{Kind:${text(subject, 'kind')} APIGroup:${text(subject, 'apiGroup')} Name:${text(subject, 'name')} Namespace:${text(subject, 'namespace')}}`;

async function carryOut(invocation: Invocation, client: ResourceClient, plan: Plan): Promise<JsonObject> {
  const name = text(plan.object, 'metadata', 'name');
  switch (plan.operation) {
    case 'none':
      return plan.object;
    case 'update':
      return client.replace(name, plan.object);
    case 'recreate':
      await client.delete(name, {});
      return client.create(plan.object);
    case 'create':
      if (client.resource.namespaced) await ensureNamespace(invocation, client.namespace);
      return client.create(plan.object);
  }
}

async function ensureNamespace(invocation: Invocation, name: string): Promise<void> {
  if (name === '') throw new Error('resource name may not be empty');
  const client = new ResourceClient(
    await invocation.client(),
    knownResource('', 'v1', 'namespaces', 'Namespace', false),
    '',
  );
  if (await existing(client, name)) return;
  try {
    await client.create({ kind: 'Namespace', apiVersion: 'v1', metadata: { name } });
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists') && !isStatus(error, 'Forbidden')) throw error;
  }
}

function report(invocation: Invocation, { operation, isProtected, notes }: Plan): void {
  if (operation === 'none') return;
  const caveat = isProtected ? `, but object opted out (${PROTECTED}: false)` : '';
  invocation.complain(`\treconciliation required ${operation}${caveat}`);
  for (const [title, values] of notes) {
    if (values.length === 0) continue;
    invocation.complain(`\t${title}:`);
    for (const value of values) invocation.complain(`\t\t${value}`);
  }
}
