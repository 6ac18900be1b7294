import type { UserInfo, WatchHandle, WatchSink } from '#apimachinery/api-request.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { expired, invalid } from '#apimachinery/status-error.ts';
import { forbiddenField, notSupported } from '#apimachinery/validation.ts';
import type { EtcdEvent } from '#etcd/etcd.ts';
import { invalidResourceVersion, LIST_OPTIONS } from './list.ts';
import type { RequestScope } from './request-scope.ts';
import { selectionOf } from './selection.ts';
import { parseResourceVersion, type Stored } from './storage.ts';
import type { Watcher } from './watcher.ts';

/** The part of a user agent before the slash: who does something. */
export const componentOf = (userAgent: string): string => {
  const slash = userAgent.indexOf('/');
  return slash < 0 ? userAgent : userAgent.slice(0, slash);
};

/** Who watches, as the trace names it: `kube-scheduler`, and of the components of a Node which one: `kubelet/node-1`. */
const watcherName = ({ name, extra }: UserInfo, userAgent: string): string => {
  const node = /^system:node:(.+)$/.exec(name)?.[1] ?? extra?.['authentication.kubernetes.io/node-name']?.[0];
  return node === undefined ? componentOf(userAgent) : `${componentOf(userAgent)}/${node}`;
};

/**
 * Begins a watch: from a version with what happened since, or from now with what there is (no version, or "0"). Throws
 * 410 when the events since that version are gone. Follows storage/cacher/cacher.go, v1.33; as by its defaults, the
 * WatchList feature (sendInitialEvents) is off.
 */
export function watch<T extends ApiObject>(scope: RequestScope<T>, sink: WatchSink<T>): WatchHandle {
  const { request, definition, storage } = scope;
  const { etcd } = scope.core;
  const { resourceVersion, allowWatchBookmarks } = request.options;
  validateWatchOptions(scope);
  const selection = selectionOf(definition, request);
  const version = parseResourceVersion(resourceVersion);
  if (version === undefined) {
    throw invalid({ group: definition.group, kind: definition.plural }, '', [
      invalidResourceVersion(resourceVersion ?? ''),
    ]);
  }
  let initial: readonly Stored[] = [];
  let past: readonly EtcdEvent<ApiObject>[] = [];
  if (version === 0) initial = etcd.cached(storage.prefixOf(selection.namespace));
  else if (version < etcd.compactRevision)
    throw expired(`too old resource version: ${version} (${etcd.compactRevision})`);
  else if (version < etcd.revision) past = etcd.eventsSince(storage.prefixOf(selection.namespace), version + 1);
  const watcher = scope.core.cache(definition).watch(
    selection,
    sink,
    { since: version === 0 ? etcd.revision : version, initial, past },
    {
      component: watcherName(request.user, request.userAgent),
      observer: request.observer === true,
      bookmarks: allowWatchBookmarks === true,
    },
  );
  limitTime(scope, watcher);
  return watcher;
}

/** Ends the watch after the seconds that the client gave it. */
function limitTime<T extends ApiObject>({ core, request }: RequestScope<T>, watcher: Watcher<T>): void {
  const { timeoutSeconds } = request.options;
  if (!timeoutSeconds || timeoutSeconds < 0) return;
  const end = () => watcher.close(undefined);
  if (!request.observer) {
    const timer = core.process.clock.afterFunc(timeoutSeconds * 1000, 'watch times out', end, request.cause);
    watcher.onStop(() => timer.stop());
  } else if (core.hostTimer) watcher.onStop(core.hostTimer(timeoutSeconds * 1000, end));
}

function validateWatchOptions({ request: { options } }: RequestScope): void {
  const { resourceVersionMatch: match, sendInitialEvents } = options;
  const errors: FieldError[] = [];
  const field = 'resourceVersionMatch';
  if (sendInitialEvents !== undefined) {
    if (match !== 'NotOlderThan')
      errors.push(forbiddenField(field, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
    errors.push(
      forbiddenField(
        'sendInitialEvents',
        'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
      ),
    );
  }
  if (match !== undefined && match !== '') {
    if (sendInitialEvents === undefined)
      errors.push(
        forbiddenField(field, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
      );
    if (match !== 'NotOlderThan') errors.push(notSupported(field, match, ['NotOlderThan']));
    if (options.continue)
      errors.push(forbiddenField(field, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  if (errors.length > 0) throw invalid(LIST_OPTIONS, '', errors);
}
