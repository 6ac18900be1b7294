import type { JsonObject } from '#apimachinery/json.ts';
import type { Command, Invocation } from '../command.ts';
import { dryRunStrategy, fieldValidation, withDryRun } from '../dry-run.ts';
import { asError, withSource } from '../errors.ts';
import { withMetadata } from '../fields.ts';
import { dryRun, fieldManager, filenameFlags, printFlags, saveConfig, selector, validate } from '../flag-groups.ts';
import { updateLastApplied } from '../last-applied.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import { buildResources, clientFor, refreshed } from '../resource-builder.ts';
import { createConfigMap } from './create/configmap.ts';
import { createCronJob } from './create/cronjob.ts';
import { createDeployment } from './create/deployment.ts';
import { createIngress } from './create/ingress.ts';
import { createJob } from './create/job.ts';
import { createNamespace } from './create/namespace.ts';
import { createPodDisruptionBudget } from './create/poddisruptionbudget.ts';
import { createPriorityClass } from './create/priorityclass.ts';
import { createQuota } from './create/quota.ts';
import { createClusterRole, createRole } from './create/role.ts';
import { createClusterRoleBinding, createRoleBinding } from './create/rolebinding.ts';
import { createSecret } from './create/secret.ts';
import { createService } from './create/service.ts';
import { createServiceAccount } from './create/serviceaccount.ts';
import { createToken } from './create/token.ts';

export const create: Command = {
  name: 'create',
  short: 'Create a resource from a file or from stdin',
  long: `Create objects from files or stdin, JSON or YAML; or one of the kinds below from flags.`,
  examples: `
# From a file
kubectl create -f ./pod.yaml

# From stdin
cat pod.yaml | kubectl create -f -`,
  usage: 'create -f FILENAME',
  flags: [
    ...printFlags,
    dryRun,
    { name: 'edit', type: 'bool', usage: 'Edit the objects before they are created. Not supported by this kubectl.' },
    fieldManager('kubectl-create'),
    ...filenameFlags('with what to create.'),
    { name: 'raw', type: 'string', usage: 'Send POST to this path.' },
    saveConfig,
    selector,
    validate,
    { name: 'windows-line-endings', type: 'bool', usage: 'For --edit: lines end as on Windows.' },
  ],
  subcommands: [
    createClusterRole,
    createClusterRoleBinding,
    createConfigMap,
    createCronJob,
    createDeployment,
    createIngress,
    createJob,
    createNamespace,
    createPodDisruptionBudget,
    createPriorityClass,
    createQuota,
    createRole,
    createRoleBinding,
    createSecret,
    createService,
    createServiceAccount,
    createToken,
  ],
  completion: 'none',
  run: runCreate,
};

async function runCreate(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  const names = flags.strings('filename');
  if (names.length === 0 && flags.string('kustomize') === '' && invocation.args.length === 0)
    throw new Error('must specify one of -f and -k');
  if (invocation.args.length > 0) throw invocation.usageError(`Unexpected args: [${invocation.args.join(' ')}]`);
  const strategy = dryRunStrategy(invocation);
  const validation = fieldValidation(invocation);
  const printer = await objectPrinter(invocation);
  const raw = flags.string('raw');
  if (flags.bool('edit'))
    throw new Error(raw === '' ? '--edit is not supported by this kubectl' : '--raw and --edit are mutually exclusive');
  if (raw !== '') return createRaw(invocation, raw);
  const config = await invocation.config();
  const result = await buildResources(invocation, {
    continueOnError: true,
    namespace: config.namespace,
    defaultNamespace: true,
    enforceNamespace: config.explicitNamespace,
    files: true,
    labelSelector: flags.string('selector'),
    flatten: true,
    validated: validation !== 'Ignore',
  });
  let count = 0;
  await result.visit(async (info) => {
    let object = updateLastApplied(info.object as JsonObject, flags.bool('save-config'));
    if (strategy !== 'client') {
      const client = await clientFor(invocation, info);
      try {
        const answer = await client.create(withMetadata(object, 'resourceVersion', undefined), {
          dryRun: strategy === 'server',
          fieldManager: flags.string('field-manager'),
          fieldValidation: validation,
        });
        object = refreshed(info, answer).object as JsonObject;
      } catch (error) {
        throw withSource('creating', info.source, asError(error));
      }
    }
    count++;
    printer.print(object, withDryRun('created', strategy));
  });
  if (count === 0) throw new Error('no objects passed to create');
}

async function createRaw(invocation: Invocation, path: string): Promise<void> {
  const { flags } = invocation;
  const names = flags.strings('filename');
  const [file] = names;
  if (file === undefined || names.length !== 1) throw new Error('--raw can only use a single local file or stdin');
  if (/^https?:\/\//.test(file)) throw new Error('--raw cannot read from a url');
  if (flags.bool('recursive')) throw new Error('--raw and --recursive are mutually exclusive');
  if (flags.string('selector') !== '') throw new Error('--raw and --selector (-l) are mutually exclusive');
  if (flags.string('output') !== '') throw new Error('--raw and --output are mutually exclusive');
  if (!path.startsWith('/'))
    throw new Error(`--raw must be a valid URL path: parse "${path}": invalid URI for request`);
  const body = file === '-' ? await invocation.stdin() : await invocation.readFile(file);
  const client = await invocation.client();
  invocation.context.stdout.write(await client.bytes('POST', path, { body }));
}
