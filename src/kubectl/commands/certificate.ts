import type { JsonObject } from '#apimachinery/json.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { formatTime } from '#base/clock.ts';
import type { Command, Invocation } from '../command.ts';
import { kindOf, objects, text } from '../fields.ts';
import { filenameFlags, printFlags } from '../flag-groups.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import { buildResources, clientFor } from '../resource-builder.ts';

const KIND = 'CertificateSigningRequest';
const GROUP = 'certificates.k8s.io';
const MAX_CONFLICTS = 10;

type Answer = 'Approved' | 'Denied';

const answering = (name: string, answer: Answer, short: string, long: string): Command => ({
  name,
  short,
  long,
  examples: `
kubectl certificate ${name} csr-sqgzp`,
  usage: `${name} (-f FILENAME | NAME)`,
  flags: [
    ...printFlags,
    ...filenameFlags('that name the requests.'),
    { name: 'force', type: 'bool', usage: `Write even what is ${answer.toLowerCase()} already.` },
  ],
  completion: ['certificatesigningrequests'],
  run: (invocation) => runAnswer(invocation, answer),
});

export const certificate: Command = {
  name: 'certificate',
  short: 'Modify certificate resources',
  long: 'Say whether certificates that were asked for may be issued.',
  usage: 'certificate SUBCOMMAND',
  flags: [],
  subcommands: [
    answering(
      'approve',
      'Approved',
      'Approve a certificate signing request',
      'Let the signer issue the certificate. Know what it will be good for before you do.',
    ),
    answering('deny', 'Denied', 'Deny a certificate signing request', 'Keep the signer from issuing the certificate.'),
  ],
};

async function runAnswer(invocation: Invocation, answer: Answer): Promise<void> {
  const { args, flags } = invocation;
  const printer = await objectPrinter(invocation);
  if (args.length === 0 && flags.strings('filename').length === 0 && flags.string('kustomize') === '')
    throw new Error('one or more CSRs must be specified as <name> or -f <filename>');
  const config = await invocation.config();
  const result = await buildResources(invocation, {
    files: true,
    resourceNames: { type: 'certificatesigningrequests', names: args },
    namespace: config.namespace,
    continueOnError: true,
    flatten: true,
    latest: true,
  });
  let found = 0;
  await result.visit(async (info) => {
    const { group, kind } = kindOf(info.object as JsonObject);
    if (kind !== KIND || group !== GROUP)
      throw new Error(`can only handle ${KIND}.${GROUP} objects, got ${kind}${group && `.${group}`}`);
    const client = await clientFor(invocation, info);
    for (let conflicts = 0; ; conflicts++) {
      const request = await client.get(info.name);
      const answered = withAnswer(request, answer, invocation.now());
      if (answered === request && !flags.bool('force')) break;
      try {
        await client.replace(info.name, answered, { subresource: 'approval' });
        break;
      } catch (error) {
        if (!isStatus(error, 'Conflict') || conflicts >= MAX_CONFLICTS) throw error;
      }
    }
    found++;
    printer.print(info.object as JsonObject, answer.toLowerCase());
  });
  if (found === 0) invocation.println('No resources found');
}

/** The request with the answer; itself when it has it. Throws for one that has the other. */
function withAnswer(request: JsonObject, answer: Answer, now: number): JsonObject {
  const conditions = objects(request, 'status', 'conditions');
  const other = answer === 'Approved' ? 'Denied' : 'Approved';
  if (conditions.some((condition) => text(condition, 'type') === other))
    throw new Error(`certificate signing request ${goQuote(text(request, 'metadata', 'name'))} is already ${other}`);
  if (conditions.some((condition) => text(condition, 'type') === answer)) return request;
  const verb = answer === 'Approved' ? 'approve' : 'deny';
  const condition = {
    type: answer,
    status: 'True',
    reason: answer === 'Approved' ? 'KubectlApprove' : 'KubectlDeny',
    message: `This CSR was ${answer.toLowerCase()} by kubectl certificate ${verb}.`,
    lastUpdateTime: formatTime(now),
  };
  const status = (request['status'] ?? {}) as JsonObject;
  return { ...request, status: { ...status, conditions: [...conditions, condition] } };
}
