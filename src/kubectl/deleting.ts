import type { JsonObject } from '#apimachinery/json.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import type { Invocation } from './command.ts';
import type { DryRun } from './dry-run.ts';
import { withDryRun } from './dry-run.ts';
import { asError, withSource } from './errors.ts';
import { text } from './fields.ts';
import type { ResourceInfo, ResourceResult } from './resource-builder.ts';
import { clientFor } from './resource-builder.ts';
import { kindName } from './rest-mapper.ts';
import { TimeoutError, untilDeleted } from './waiting.ts';

/** How objects are deleted. */
export interface DeleteSettings {
  readonly cascade: 'Background' | 'Foreground' | 'Orphan';
  /** Seconds; negative leaves it to the object. */
  readonly gracePeriod: number;
  readonly force: boolean;
  readonly wait: boolean;
  /** 0: as long as it takes. */
  readonly timeoutMs: number;
  readonly ignoreNotFound: boolean;
  readonly quiet: boolean;
  readonly short: boolean;
  readonly dryRun: DryRun;
}

/** `--cascade` as a propagation policy. */
export function cascadeOf(invocation: Invocation): DeleteSettings['cascade'] {
  const value = invocation.flags.string('cascade');
  switch (value) {
    case 'background':
    case 'true':
      return 'Background';
    case 'foreground':
      return 'Foreground';
    case 'orphan':
    case 'false':
      return 'Orphan';
    default:
      throw new Error(`invalid cascade value (${value}). Must be "background", "foreground", or "orphan"`);
  }
}

/** What `--grace-period`, `--force` and `--now` come to, in seconds. */
export function gracePeriodOf(invocation: Invocation): number {
  const { flags } = invocation;
  let period = flags.int('grace-period');
  if (flags.has('now') && flags.bool('now')) {
    if (period !== -1) throw new Error('--now and --grace-period cannot be specified together');
    period = 1;
  }
  if (period === 0 && !flags.bool('force')) return 1;
  return flags.bool('force') && period < 0 ? 0 : period;
}

/** Options of a delete request. */
export function deleteOptions(settings: Pick<DeleteSettings, 'cascade' | 'gracePeriod'>, dryRun: boolean): JsonObject {
  return {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    ...(settings.gracePeriod >= 0 ? { gracePeriodSeconds: settings.gracePeriod } : {}),
    propagationPolicy: settings.cascade,
    ...(dryRun ? { dryRun: ['All'] } : {}),
  };
}

/** Warns of a deletion that nobody waits for, and refuses what contradicts itself. */
export function checkForce(invocation: Invocation, settings: Pick<DeleteSettings, 'gracePeriod' | 'force'>): void {
  if (!settings.force) return;
  if (settings.gracePeriod > 0)
    throw new Error('--force and --grace-period greater than 0 cannot be specified together');
  if (settings.gracePeriod === 0) {
    invocation.warn(
      'Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.',
    );
  }
}

/** Deletes what was found, and waits until it is gone. `chosen`: only these. Follows kubectl/pkg/cmd/delete, v1.33. */
export async function deleteResult(
  invocation: Invocation,
  result: ResourceResult,
  settings: DeleteSettings,
  options: { readonly warnClusterScope?: boolean; chosen?(info: ResourceInfo): boolean } = {},
): Promise<void> {
  const deleted: { readonly info: ResourceInfo; readonly uid: string }[] = [];
  let found = 0;
  let warnClusterScope = options.warnClusterScope ?? false;
  const print = (info: ResourceInfo) => {
    if (settings.quiet || !info.resource) return;
    const kind = kindName(info.resource);
    if (settings.short) invocation.println(`${kind}/${info.name}`);
    else
      invocation.println(
        `${kind} "${info.name}" ${withDryRun(settings.gracePeriod === 0 ? 'force deleted' : 'deleted', settings.dryRun)}`,
      );
  };
  await result.visit(
    async (info) => {
      if (options.chosen && !options.chosen(info)) return;
      found++;
      if (warnClusterScope && info.resource && !info.resource.namespaced) {
        invocation.warn('deleting cluster-scoped resources, not scoped to the provided namespace');
        warnClusterScope = false;
      }
      if (settings.dryRun === 'client') return print(info);
      const client = await clientFor(invocation, info);
      let answer: JsonObject;
      try {
        answer = await client.delete(info.name, deleteOptions(settings, settings.dryRun === 'server'));
      } catch (error) {
        throw withSource('deleting', info.source, asError(error));
      }
      print(info);
      deleted.push({ info, uid: text(answer, 'details', 'uid') || text(answer, 'metadata', 'uid') });
    },
    (error) => settings.ignoreNotFound && isStatus(error, 'NotFound'),
  );
  if (found === 0) {
    invocation.println('No resources found');
    return;
  }
  if (!settings.wait || settings.dryRun !== 'none') return;
  const deadline = invocation.now() + (settings.timeoutMs || Number.POSITIVE_INFINITY);
  for (const { info, uid } of deleted) {
    const client = await clientFor(invocation, info);
    try {
      await untilDeleted(invocation, client, info.name, uid, deadline - invocation.now());
    } catch (error) {
      if (isStatus(error, 'Forbidden', 'MethodNotAllowed')) return;
      if (error instanceof TimeoutError)
        throw new Error(`timed out waiting for the condition on ${info.resource?.name}/${info.name}`);
      throw error;
    }
  }
}
