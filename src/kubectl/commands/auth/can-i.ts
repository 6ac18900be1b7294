import type { JsonObject } from '#apimachinery/json.ts';
import { formatValue } from '#apimachinery/go-format.ts';
import type { Command, Invocation } from '../../command.ts';
import { knownResource } from '../../creating.ts';
import { compactRules, qualifiedResource } from '../../describe/rbac.ts';
import type { ApiResource } from '../../discovery.ts';
import { ExitError, NoResourceMatchError } from '../../errors.ts';
import { at, object, objects, text } from '../../fields.ts';
import { TabWriter } from '../../printers/tab-writer.ts';
import { ResourceClient } from '../../resource-client.ts';

const GROUP = 'authorization.k8s.io';
const VERBS =
  'get list watch create update patch delete deletecollection use bind impersonate * approve sign escalate attest';
const URL_VERBS = 'get put post head options delete patch *';
/** Types that only rules know. */
const UNLISTED = ['users', 'groups'];

export const canI: Command = {
  name: 'can-i',
  short: 'Check whether an action is allowed',
  long: `Ask the server whether it would let you do something.

 VERB is a verb of the API such as get, list, watch or delete. TYPE is a resource type; short names and groups are
 understood. NONRESOURCEURL is a path that begins with a slash. NAME is the name of one object. Without a namespace of
 its own, the question is about the current one.`,
  examples: `
# May I make Pods here, and anywhere?
kubectl auth can-i create pods
kubectl auth can-i create pods --all-namespaces

# May somebody else?
kubectl auth can-i list deployments.apps --as=system:serviceaccount:dev:robot

# One object, a subresource, a path
kubectl auth can-i get configmaps/settings
kubectl auth can-i get pods --subresource=log
kubectl auth can-i get /logs/

# All that I may do in a namespace
kubectl auth can-i --list --namespace=dev`,
  usage: 'can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL]',
  flags: [
    { name: 'all-namespaces', short: 'A', type: 'bool', usage: 'Ask about all namespaces.' },
    { name: 'list', type: 'bool', usage: 'Print all that is allowed.' },
    { name: 'no-headers', type: 'bool', usage: 'Print the list without its headings.' },
    { name: 'quiet', short: 'q', type: 'bool', usage: 'Print nothing: the exit code is the answer.' },
    { name: 'subresource', type: 'string', usage: 'A subresource such as log or scale.' },
  ],
  completion: VERBS.split(' '),
  run: async (invocation) => {
    if (invocation.flags.bool('list')) await listRules(invocation);
    else await check(invocation);
  },
};

/** Asks one of the questions of which nothing is stored. */
async function review(invocation: Invocation, kind: string, spec: JsonObject): Promise<JsonObject> {
  const resource = knownResource(GROUP, 'v1', `${kind.toLowerCase()}s`, kind, false);
  const client = new ResourceClient(await invocation.client(), resource, '');
  return client.create({ kind, apiVersion: `${GROUP}/v1`, metadata: { creationTimestamp: null }, spec });
}

async function check(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  const [verb, what] = args;
  if (verb === undefined || what === undefined || args.length > 2)
    throw new Error(
      `you must specify two arguments: verb resource or verb resource/resourceName.\nSee '${invocation.path} -h' for help and examples.`,
    );
  const isUrl = what.startsWith('/');
  const [type = '', name = ''] = what.split(/\/(.*)/s);
  const everywhere = flags.bool('all-namespaces');
  const subresource = flags.string('subresource');
  const resource = isUrl ? undefined : await resourceOf(invocation, type);
  const namespace = everywhere ? '' : await invocation.namespace();
  const warnOfVerb = (known: string) => {
    if (!known.split(' ').includes(verb)) invocation.warn(`verb '${verb}' is not a known verb\n`);
  };
  if (isUrl) {
    if (subresource !== '') throw new Error('--subresource can not be used with NonResourceURL');
    warnOfVerb(URL_VERBS);
  } else if (!everywhere) {
    if (resource && !resource.namespaced) {
      const where = resource.group === '' ? '' : ` in group '${resource.group}'`;
      invocation.warn(`resource '${resource.name}' is not namespace scoped${where}\n`);
    }
    warnOfVerb(VERBS);
  }
  if (flags.bool('no-headers')) throw new Error('--no-headers cannot be set without --list specified');
  const asked = { group: resource?.group ?? '', resource: resource?.name ?? type };
  const answer = await review(
    invocation,
    'SelfSubjectAccessReview',
    isUrl
      ? { nonResourceAttributes: { path: what, verb } }
      : { resourceAttributes: { namespace, verb, ...asked, subresource, name } },
  );
  const allowed = at(answer, 'status', 'allowed') === true;
  if (!flags.bool('quiet')) {
    const reasons = ['reason', 'evaluationError'].map((field) => text(answer, 'status', field)).filter(Boolean);
    invocation.println(allowed ? 'yes' : ['no', ...reasons].join(' - '));
  }
  if (!allowed) throw new ExitError(1);
}

/** The type that is meant; undefined for one that the server does not have, after a warning. */
async function resourceOf(invocation: Invocation, type: string): Promise<ApiResource | undefined> {
  if (type === '*') return undefined;
  const given = type.toLowerCase();
  try {
    return await (await invocation.mapper()).forArgument(given);
  } catch (error) {
    if (!(error instanceof NoResourceMatchError)) throw error;
    const [resource = '', group] = given.split(/\.(.*)/s);
    const where = group ? ` in group '${group}'` : '';
    if (!UNLISTED.includes(given)) invocation.warn(`the server doesn't have a resource type '${resource}'${where}\n`);
    return undefined;
  }
}

async function listRules(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  if (args.length > 0) throw new Error('list option must be specified with no arguments');
  if (flags.bool('quiet') || flags.bool('all-namespaces') || flags.string('subresource') !== '')
    throw new Error("list option can't be specified with neither quiet, all-namespaces nor subresource options");
  const answer = await review(invocation, 'SelfSubjectRulesReview', { namespace: await invocation.namespace() });
  const status = object(answer, 'status');
  if (at(status, 'incomplete') === true)
    invocation.warn(`the list may be incomplete: ${text(status, 'evaluationError')}`);
  const writer = new TabWriter((piece) => invocation.print(piece));
  if (!flags.bool('no-headers')) writer.write('Resources\tNon-Resource URLs\tResource Names\tVerbs\n');
  const rules = [...objects(status, 'resourceRules'), ...objects(status, 'nonResourceRules')];
  for (const rule of compactRules(rules)) {
    const cells = [qualifiedResource(rule), ...[rule.urls, rule.names, rule.verbs].map(formatValue)];
    writer.write(`${cells.join('\t')}\n`);
  }
  writer.flush();
}
