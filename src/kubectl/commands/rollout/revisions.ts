import type { JsonObject } from '#apimachinery/json.ts';
import { formatLabelSelector, labelSelectorTerms } from '#apimachinery/selectors.ts';
import { applyStrategicMergePatch } from '#apimachinery/patch-strategic.ts';
import type { Invocation } from '../../command.ts';
import { knownResource } from '../../creating.ts';
import { Description } from '../../describe/writer.ts';
import { writePodTemplate } from '../../describe/pod-template.ts';
import { asError } from '../../errors.ts';
import { kindOf, number, object, objects, strings, text, withMetadata } from '../../fields.ts';
import { OpenApi } from '../../openapi.ts';
import { ResourceClient } from '../../resource-client.ts';
import { isControlledBy, replicaSetsOf } from '../../rollouts.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
const CHANGE_CAUSE = 'kubernetes.io/change-cause';

/** One revision of a workload. */
export interface Revision {
  readonly number: number;
  readonly cause: string;
  /** The ReplicaSet, or the workload as it was. */
  readonly object: JsonObject;
  readonly template: JsonObject;
  /** What restores it, for workloads with ControllerRevisions. */
  readonly patch?: JsonObject;
}

/** The revisions of a Deployment, DaemonSet or StatefulSet that the server still has. */
export async function revisionsOf(invocation: Invocation, workload: JsonObject): Promise<readonly Revision[]> {
  return kindOf(workload).kind === 'Deployment'
    ? deploymentRevisions(invocation, workload)
    : controllerRevisions(invocation, workload);
}

const selectorOf = (workload: JsonObject) =>
  formatLabelSelector(labelSelectorTerms(object(workload, 'spec', 'selector')) ?? []);

async function deploymentRevisions(invocation: Invocation, workload: JsonObject): Promise<readonly Revision[]> {
  const sets = new ResourceClient(
    await invocation.client(),
    knownResource('apps', 'v1', 'replicasets', 'ReplicaSet'),
    text(workload, 'metadata', 'namespace'),
  );
  let candidates: readonly JsonObject[];
  try {
    candidates = objects(await sets.list({ labelSelector: selectorOf(workload) }), 'items');
  } catch (error) {
    const name = text(workload, 'metadata', 'name');
    throw new Error(`failed to retrieve replica sets from deployment ${name}: ${asError(error).message}`);
  }
  const { current, old } = replicaSetsOf(workload, candidates);
  return [...old, ...(current ? [current] : [])].map((set) => {
    const annotations = strings(set, 'metadata', 'annotations');
    const cause = annotations.get(CHANGE_CAUSE) ?? '';
    const template = object(set, 'spec', 'template');
    return {
      number: Number(annotations.get(REVISION) ?? '0'),
      cause,
      object: { apiVersion: 'apps/v1', kind: 'ReplicaSet', ...set },
      template:
        cause === ''
          ? template
          : withMetadata(template, 'annotations', {
              ...object(template, 'metadata', 'annotations'),
              [CHANGE_CAUSE]: cause,
            }),
    };
  });
}

async function controllerRevisions(invocation: Invocation, workload: JsonObject): Promise<readonly Revision[]> {
  const client = await invocation.client();
  const revisions = new ResourceClient(
    client,
    knownResource('apps', 'v1', 'controllerrevisions', 'ControllerRevision'),
    text(workload, 'metadata', 'namespace'),
  );
  const kind = kindOf(workload);
  const schema = (await new OpenApi(client).document(kind.group, kind.version)).schemaOf(kind);
  if (!schema) throw new Error(`the server does not describe ${kind.kind}`);
  const found = objects(await revisions.list({ labelSelector: selectorOf(workload) }), 'items');
  return found
    .filter((revision) => isControlledBy(revision, text(workload, 'metadata', 'uid')))
    .map((revision) => {
      const patch = object(revision, 'data');
      const then = applyStrategicMergePatch(workload, patch, schema) as JsonObject;
      return {
        number: number(revision, 'revision'),
        cause: strings(revision, 'metadata', 'annotations').get(CHANGE_CAUSE) ?? '',
        object: then,
        template: object(then, 'spec', 'template'),
        patch,
      };
    });
}

/** A template as text, its tabs left as they are. */
export function describeTemplate(template: JsonObject): string {
  const w = Description.plain();
  writePodTemplate(w, template);
  return w.toString();
}
