import { jsonEqual } from '#apimachinery/equal.ts';
import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { createMergePatch, createTwoWayMergePatch } from '#apimachinery/patch-create.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { encodeYaml } from '#apimachinery/yaml-writer.ts';
import { readYaml } from '#apimachinery/yaml-reader.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { Invocation } from './command.ts';
import { interruptible } from './context.ts';
import { fieldValidation } from './dry-run.ts';
import { asError, ExitError } from './errors.ts';
import { at, isObject, kindOf, text, withMetadata } from './fields.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';
import { withLastApplied } from './last-applied.ts';
import { OpenApi } from './openapi.ts';
import { noPrinterError, objectPrinter } from './printers/object-printer.ts';
import { buildResources, clientFor, type ResourceInfo } from './resource-builder.ts';
import { qualifiedName } from './rest-mapper.ts';

const HEADER = `# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
`;

/** Why a file is opened again. */
interface Reason {
  readonly head: string;
  readonly details: readonly string[];
}

/** What became of the objects of one attempt. */
interface Outcome {
  readonly reasons: Reason[];
  /** Could not be patched for a reason that may pass, and are gone. */
  retryable: number;
  notFound: number;
}

/**
 * Objects in the user's editor, again and again until the server takes what came of them. Follows
 * kubectl/pkg/cmd/util/editor/editoptions.go, v1.33.
 */
export class EditSession {
  readonly #invocation: Invocation;
  /** As the server has them, without their managed fields, which nobody edits. */
  readonly #originals: readonly ResourceInfo[];
  /** Those fields, by uid. */
  readonly #managedFields: ReadonlyMap<string, JsonValue | undefined>;
  readonly #json: boolean;
  readonly #name: string;

  constructor(invocation: Invocation, infos: readonly ResourceInfo[]) {
    this.#invocation = invocation;
    this.#originals = infos.map(withoutManagedFields);
    this.#managedFields = new Map(infos.map(({ object }) => [uidOf(object), at(object, 'metadata', 'managedFields')]));
    const format = invocation.flags.string('output').toLowerCase();
    if (!['', 'json', 'yaml'].includes(format)) {
      throw noPrinterError(invocation.flags.string('output'), ['json', 'yaml']);
    }
    this.#json = format === 'json';
    const digits = String(Math.trunc(invocation.now() * 1000) % 4_294_967_296);
    this.#name = `kubectl-edit-${digits}.${this.#json ? 'json' : 'yaml'}`;
  }

  /** Throws when something could not be changed; says where the user's text is kept then. */
  async run(): Promise<void> {
    const original = this.#body();
    let reasons: readonly Reason[] = [];
    /** What the user made of it the last time, when it was wrong. */
    let wrong: string | undefined;
    for (;;) {
      const shown = this.#withHeader(reasons, wrong === undefined ? original : withoutComments(wrong));
      const edited = (await this.#open(shown, wrong)) ?? shown;
      if (wrong !== undefined && meaning(wrong) === meaning(edited)) {
        throw await this.#kept(new Error('Edit cancelled, no valid changes were saved.'), edited);
      }
      const problem = this.#problem(edited);
      if (problem !== undefined) {
        reasons = [this.#invalid(problem)];
        wrong = edited;
        continue;
      }
      if (meaning(original) === meaning(edited)) {
        this.#invocation.complain('Edit cancelled, no changes made.');
        return;
      }
      if (!/^\s*[^#\s]/m.test(edited)) {
        this.#invocation.complain('Edit cancelled, saved file was empty.');
        return;
      }
      const infos = await this.#parsed(edited);
      if (infos instanceof Error) {
        reasons = [{ head: `The edited file had a syntax error: ${infos.message}`, details: [] }];
        wrong = edited;
        continue;
      }
      const outcome = await this.#send(infos, edited);
      if (outcome.retryable > 0) {
        const path = await this.#keep(edited);
        this.#invocation.complain(`You can run \`kubectl replace -f ${path}\` to try this update again.`);
        throw new ExitError(1);
      }
      if (outcome.notFound > 0) {
        const path = await this.#keep(edited);
        this.#invocation.complain(`The edits you made on deleted resources have been saved to ${goQuote(path)}`);
        throw new ExitError(1);
      }
      if (outcome.reasons.length === 0) return;
      reasons = outcome.reasons;
      wrong = edited;
    }
  }

  /** The objects as the user sees them. */
  #body(): string {
    const objects = this.#originals.map((info) => info.object as JsonObject);
    const value: JsonObject =
      objects.length === 1
        ? (objects[0] as JsonObject)
        : { apiVersion: 'v1', items: objects, kind: 'List', metadata: {} };
    return this.#json ? `${encodeJson(value, { indent: '    ' })}\n` : encodeYaml(value);
  }

  #withHeader(reasons: readonly Reason[], body: string): string {
    let page = this.#json ? '' : HEADER;
    if (!this.#json) {
      for (const { head, details } of reasons) {
        page += `# ${commented(head)}${details.length ? ':' : ''}\n`;
        for (const detail of details) page += `# * ${commented(detail)}\n`;
        page += '#\n';
      }
    }
    page += body;
    return this.#invocation.flags.bool('windows-line-endings') ? page.replaceAll('\n', '\r\n') : page;
  }

  /** Undefined: the user gave up. */
  async #open(shown: string, wrong: string | undefined): Promise<string | undefined> {
    const { edit, signal, environment } = this.#invocation.context;
    try {
      if (!edit) {
        const editor = environment['KUBE_EDITOR'] || environment['EDITOR'] || 'vi';
        throw new Error(`unable to launch the editor ${goQuote(editor)}`);
      }
      return await interruptible(edit(shown, this.#name), signal);
    } catch (error) {
      throw wrong === undefined ? error : await this.#kept(asError(error), wrong);
    }
  }

  /** What is wrong with the text itself; the server looks at the fields. */
  #problem(edited: string): string | undefined {
    if (fieldValidation(this.#invocation) === 'Ignore') return undefined;
    const bare = meaning(edited);
    let value: JsonValue;
    try {
      value = readYaml(bare);
    } catch (error) {
      return asError(error).message;
    }
    if (!isObject(value)) return 'invalid object to validate';
    const missing = ['apiVersion', 'kind']
      .filter((field) => text(value, field) === '')
      .map((field) => `${field} not set`);
    return missing.length < 2 ? missing[0] : `[${missing.join(', ')}]`;
  }

  #invalid(problem: string): Reason {
    const info = this.#originals[0] as ResourceInfo;
    const detail = `<nil>: Invalid value: "The edited file failed validation": ${problem}`;
    return this.#refused(info, [detail]);
  }

  #refused(info: ResourceInfo, details: readonly string[]): Reason {
    const named = `${info.resource ? qualifiedName(info.resource) : ''} ${goQuote(info.name)}`;
    this.#invocation.complain(`error: ${named} is invalid`);
    return { head: `${named} was not valid`, details };
  }

  async #parsed(edited: string): Promise<readonly ResourceInfo[] | Error> {
    const { namespace } = await this.#invocation.config();
    const result = await buildResources(this.#invocation, {
      stream: { name: 'edited-file', text: edited },
      namespace,
      continueOnError: true,
      flatten: true,
    });
    const { infos, error } = await result.infos();
    return error ?? infos.map(withoutManagedFields);
  }

  /** Patches what was changed. */
  async #send(infos: readonly ResourceInfo[], edited: string): Promise<Outcome> {
    const outcome: Outcome = { reasons: [], retryable: 0, notFound: 0 };
    try {
      const { namespace } = await this.#invocation.config();
      for (const info of infos) {
        if (!info.resource?.namespaced || info.namespace === '' || info.namespace === namespace) continue;
        throw new Error(
          `the namespace from the provided object ${goQuote(info.namespace)} does not match the namespace ${goQuote(namespace)}. You must pass '--namespace=${info.namespace}' to perform this operation.`,
        );
      }
      for (const info of infos) {
        const object = info.object as JsonObject;
        await this.#patch(
          { ...info, namespace: info.resource?.namespaced ? namespace : '', object: this.#annotated(object) },
          outcome,
        );
      }
    } catch (error) {
      throw await this.#kept(asError(error), edited);
    }
    return outcome;
  }

  /** With `--save-config` the object keeps what it is, managed fields included. */
  #annotated(object: JsonObject): JsonObject {
    if (!this.#invocation.flags.bool('save-config')) return object;
    const whole = withMetadata(object, 'managedFields', this.#managedFields.get(uidOf(object)));
    return withMetadata(withLastApplied(whole), 'managedFields', undefined);
  }

  async #patch(info: ResourceInfo, outcome: Outcome): Promise<void> {
    const { flags } = this.#invocation;
    const edited = info.object as JsonObject;
    const original = this.#originals.find(({ object }) => uidOf(object) === uidOf(edited))?.object;
    if (!original) throw new Error(`no original object found for ${encodeJson(edited)}`);
    const printer = await objectPrinter(this.#invocation);
    if (jsonEqual(original, edited)) {
      printer.print(edited, 'skipped');
      return;
    }
    const kind = kindOf(original);
    const document = await new OpenApi(await this.#invocation.client()).find(kind.group, kind.version);
    const strategic = document?.strategic(kind) === true;
    const patch = strategic
      ? createTwoWayMergePatch(original, edited, document?.schemaOf(kind))
      : createMergePatch(original, edited);
    const changed = [at(patch, 'apiVersion'), at(patch, 'kind'), at(patch, 'metadata', 'name')];
    if (changed.some((value) => value !== undefined)) {
      throw new Error('At least one of apiVersion, kind and name was changed');
    }
    if (flags.bool('output-patch')) this.#invocation.println(`Patch: ${encodeJson(patch)}`);
    const client = await clientFor(this.#invocation, info);
    try {
      const patched = await client.patch(info.name, strategic ? 'strategic' : 'merge', encodeJson(patch), {
        fieldManager: flags.string('field-manager'),
        fieldValidation: fieldValidation(this.#invocation),
        subresource: flags.string('subresource'),
      });
      printer.print(patched, 'edited');
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.#note(error, info, outcome);
    }
  }

  #note(error: StatusError, info: ResourceInfo, outcome: Outcome): void {
    const named = `${info.resource ? qualifiedName(info.resource) : ''} ${goQuote(info.name)}`;
    const { message } = error;
    if (isStatus(error, 'Invalid')) {
      const causes = error.status.details?.causes ?? [];
      outcome.reasons.push(
        this.#refused(
          info,
          causes.map(({ field = '', message = '' }) => `${field}: ${message}`),
        ),
      );
    } else if (isStatus(error, 'NotFound')) {
      outcome.notFound++;
      this.#invocation.complain(`error: ${named} could not be found on the server`);
    } else {
      outcome.retryable++;
      this.#invocation.complain(`error: ${named} could not be patched: ${message}`);
    }
  }

  /** Keeps the user's text in a file and returns its path. */
  async #keep(edited: string): Promise<string> {
    const { files, environment } = this.#invocation.context;
    const directory = (environment['TMPDIR'] || '/tmp').replace(/(.)\/+$/, '$1');
    await files.makeDirectory(directory);
    const path = `${directory}/${this.#name}`;
    await files.writeFile(path, encodeUtf8(edited));
    return path;
  }

  /** The error, after the user was told where the text is. */
  async #kept(error: Error, edited: string): Promise<Error> {
    const path = await this.#keep(edited);
    this.#invocation.complain(`A copy of your changes has been stored to ${goQuote(path)}`);
    return error;
  }
}

const uidOf = (object: JsonObject | undefined): string => text(object, 'metadata', 'uid');

function withoutManagedFields(info: ResourceInfo): ResourceInfo {
  return info.object ? { ...info, object: withMetadata(info.object, 'managedFields', undefined) } : info;
}

/** A text without the lines that are comments. */
function withoutComments(edited: string): string {
  return edited
    .split('\n')
    .filter((line) => !/^\s*#(?!!)/.test(line))
    .join('\n');
}

/** What a text says, whatever its comments and its layout: JSON; of what is no YAML, all but the comments. */
function meaning(edited: string): string {
  try {
    return encodeJson(readYaml(edited));
  } catch {
    return withoutComments(edited);
  }
}

/** A reason of several lines as one comment. */
function commented(reason: string): string {
  return reason.replace(/\n(?=[^#])/g, '\n# ');
}
