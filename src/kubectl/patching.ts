import type { JsonObject } from '#apimachinery/json.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';
import { createThreeWayJsonMergePatch, createThreeWayMergePatch } from '#apimachinery/patch-create.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import type { Invocation } from './command.ts';
import { deleteOptions } from './deleting.ts';
import type { DryRun } from './dry-run.ts';
import { asError, withSource } from './errors.ts';
import { kindOf, text, withMetadata } from './fields.ts';
import { lastApplied } from './last-applied.ts';
import type { OpenApi } from './openapi.ts';
import type { ResourceClient } from './resource-client.ts';
import type { ResourceInfo } from './resource-builder.ts';
import { TimeoutError, untilDeleted } from './waiting.ts';

/** How often a patch is made anew when somebody else was faster. */
const RETRIES = 5;

export interface PatchingSettings {
  readonly strategy: DryRun;
  /** Deletes and creates what cannot be patched. */
  readonly force: boolean;
  readonly validation: 'Strict' | 'Warn' | 'Ignore' | undefined;
  readonly manager: string;
  readonly gracePeriod: number;
  readonly cascade: 'Background' | 'Foreground' | 'Orphan';
  readonly openApi: OpenApi;
}

/** Brings a live object to what the file says. Follows kubectl/pkg/cmd/apply/patcher.go, v1.33. */
export class Patching {
  readonly #invocation: Invocation;
  readonly #client: ResourceClient;
  readonly #info: ResourceInfo;
  readonly #modified: JsonObject;
  readonly #settings: PatchingSettings;
  /** The last patch that was made. */
  patch = '';

  constructor(
    invocation: Invocation,
    client: ResourceClient,
    info: ResourceInfo,
    modified: JsonObject,
    settings: PatchingSettings,
  ) {
    this.#invocation = invocation;
    this.#client = client;
    this.#info = info;
    this.#modified = modified;
    this.#settings = settings;
  }

  async run(live: JsonObject): Promise<JsonObject> {
    let current = live;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(current);
      } catch (error) {
        if (isStatus(error, 'Conflict') && attempt < RETRIES) {
          if (attempt >= 1) await this.#invocation.sleep(1000);
          current = await this.#client.get(this.#info.name);
          continue;
        }
        if (isStatus(error, 'Conflict', 'Invalid') && this.#settings.force) return this.#recreate(current);
        throw withSource('patching', this.#info.source, asError(error));
      }
    }
  }

  async #once(current: JsonObject): Promise<JsonObject> {
    const kind = kindOf(current);
    const original = lastApplied(current) ?? {};
    const document = await this.#settings.openApi.document(kind.group, kind.version).catch(() => undefined);
    const strategic = document?.strategic(kind) === true;
    const patch = strategic
      ? createThreeWayMergePatch(original, this.#modified, current, document?.schemaOf(kind))
      : createThreeWayJsonMergePatch(original, this.#modified, current);
    this.patch = encodeJson(patch);
    if (this.patch === '{}') return current;
    return this.#client.patch(this.#info.name, strategic ? 'strategic' : 'merge', this.patch, {
      dryRun: this.#settings.strategy === 'server',
      fieldManager: this.#settings.manager,
      fieldValidation: this.#settings.validation,
    });
  }

  async #recreate(live: JsonObject): Promise<JsonObject> {
    const { name } = this.#info;
    const settings = this.#settings;
    await this.#client.delete(
      name,
      deleteOptions({ cascade: this.#settings.cascade, gracePeriod: settings.gracePeriod }, false),
    );
    try {
      await untilDeleted(
        this.#invocation,
        this.#client,
        name,
        '',
        this.#invocation.flags.duration('timeout') || Number.POSITIVE_INFINITY,
      );
    } catch (error) {
      throw error instanceof TimeoutError ? new Error('timed out waiting for the condition') : error;
    }
    const options = { fieldManager: settings.manager, fieldValidation: settings.validation };
    try {
      return await this.#client.create(this.#modified, options);
    } catch (error) {
      try {
        await this.#client.create(withMetadata(live, 'resourceVersion', undefined), options);
      } catch (again) {
        throw new Error(
          `An error occurred force-replacing the existing object with the newly provided one:\n\n${asError(error).message}.\n\nAdditionally, an error occurred attempting to restore the original object:\n\n${asError(again).message}`,
        );
      }
      throw error;
    }
  }
}

/** Tells of an object that is on its way out. */
export function warnIfDeleting(invocation: Invocation, object: JsonObject): void {
  if (text(object, 'metadata', 'deletionTimestamp') === '') return;
  invocation.complain(
    `Warning: Detected changes to resource ${text(object, 'metadata', 'name')} which is currently being deleted.`,
  );
}
