import { decodeBase64 } from '#base/base64.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import { isJsonMap } from '#apimachinery/patch-merge.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import { type Status, StatusError } from '#apimachinery/status-error.ts';
import type { AdmissionAttributes, RequestContext } from '#apiserver/contract.ts';

/** What a webhook has said. */
export interface AdmissionVerdict {
  readonly allowed: boolean;
  readonly result?: Partial<Status>;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
  /** Operations of a JSON patch; undefined when there is none. */
  readonly patch?: readonly JsonValue[];
}

/** Why a webhook's answer cannot be used; upstream's words. */
export class InvalidVerdictError extends Error {
  override readonly name = 'InvalidVerdictError';
}

/** What is asked: an AdmissionRequest, as webhooks and expressions see it. Follows CreateV1AdmissionReview, v1.33. */
export function admissionRequest(
  attributes: AdmissionAttributes,
  context: RequestContext,
  uid: string,
): Readonly<Record<string, JsonValue>> {
  const { resource, subresource, namespace, name, operation, object, oldObject, user, dryRun } = attributes;
  const { apiVersion, kind: kindName = resource.kind } = object ?? oldObject ?? {};
  const [group = '', version = ''] = apiVersion?.includes('/')
    ? apiVersion.split('/')
    : apiVersion
      ? ['', apiVersion]
      : [resource.group, resource.version];
  const kind = { group, version, kind: kindName };
  const gvr = { group: resource.group, version: resource.version, resource: resource.plural };
  const shown = (one: typeof object) => (one ? (context.shown(one) as unknown as JsonValue) : null);
  const { extra } = user;
  return {
    uid,
    kind,
    resource: gvr,
    ...(subresource === undefined ? {} : { subResource: subresource }),
    requestKind: kind,
    requestResource: gvr,
    ...(subresource === undefined ? {} : { requestSubResource: subresource }),
    ...(name ? { name } : {}),
    ...(namespace ? { namespace } : {}),
    operation,
    userInfo: {
      ...(user.name ? { username: user.name } : {}),
      ...(user.uid ? { uid: user.uid } : {}),
      ...(user.groups.length ? { groups: user.groups } : {}),
      ...(extra ? { extra } : {}),
    } as JsonValue,
    object: shown(object),
    oldObject: shown(oldObject),
    dryRun,
    options: optionsOf(attributes, context),
  };
}

const OPTIONS = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions', CONNECT: '' } as const;

function optionsOf({ operation }: AdmissionAttributes, { request }: RequestContext): JsonValue {
  const kind = request.verb === 'patch' && operation === 'UPDATE' ? 'PatchOptions' : OPTIONS[operation];
  if (!kind) return null;
  const { dryRun, fieldManager, fieldValidation, force, gracePeriodSeconds, propagationPolicy, preconditions } =
    request.options;
  const given =
    operation === 'DELETE'
      ? { gracePeriodSeconds, propagationPolicy, preconditions }
      : { fieldManager, fieldValidation, ...(kind === 'PatchOptions' ? { force } : {}) };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun ? { dryRun: ['All'] } : {}),
    ...(Object.fromEntries(set) as Record<string, JsonValue>),
  };
}

/**
 * Reads a webhook's answer. Throws {@link InvalidVerdictError}. Follows VerifyAdmissionResponse, v1.33.
 */
export function readVerdict(text: string, uid: string, version: string, mutating: boolean): AdmissionVerdict {
  const wrong = (why: string) => new InvalidVerdictError(why);
  let review: JsonValue;
  try {
    review = JSON.parse(text) as JsonValue;
  } catch {
    throw wrong('expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind=');
  }
  const { apiVersion = '', kind = '', response } = isJsonMap(review) ? review : {};
  if (!isJsonMap(response)) throw wrong('webhook response was absent');
  if (version === 'v1') {
    if (response.uid !== uid) throw wrong(`expected response.uid="${uid}", got "${textOf(response.uid)}"`);
    if (apiVersion !== 'admission.k8s.io/v1' || kind !== 'AdmissionReview') {
      const got = textOf(apiVersion).includes('/') ? textOf(apiVersion) : `/${textOf(apiVersion)}`;
      throw wrong(
        `expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${got}, Kind=${textOf(kind)}`,
      );
    }
  }
  const { patch, patchType } = response;
  const hasPatch = typeof patch === 'string' && patch !== '';
  const hasType = patchType !== undefined && patchType !== null;
  if (!mutating && version === 'v1') {
    if (hasPatch) throw wrong('validating webhook may not return response.patch');
    if (hasType) throw wrong('validating webhook may not return response.patchType');
  } else if (mutating && version === 'v1') {
    if (hasPatch && !hasType) throw wrong('webhook returned response.patch but not response.patchType');
    if (!hasPatch && hasType) throw wrong('webhook returned response.patchType but not response.patch');
    if (patchType === '') throw wrong('webhook returned invalid response.patchType of ""');
  }
  if (hasPatch && hasType && patchType !== 'JSONPatch') throw wrong(`unsupported patch type "${textOf(patchType)}"`);
  const { status, warnings, auditAnnotations } = response;
  return {
    allowed: response.allowed === true,
    ...(isJsonMap(status) ? { result: status as unknown as Partial<Status> } : {}),
    warnings: Array.isArray(warnings) ? warnings.map(String) : [],
    auditAnnotations: isJsonMap(auditAnnotations) ? (auditAnnotations as unknown as Record<string, string>) : {},
    ...(mutating && hasPatch ? { patch: operationsOf(patch) } : {}),
  };
}

function operationsOf(base64: string): readonly JsonValue[] {
  let operations: JsonValue | undefined;
  try {
    const bytes = decodeBase64(base64);
    operations = typeof bytes === 'number' ? undefined : (JSON.parse(decodeUtf8(bytes)) as JsonValue);
  } catch {
    // Falls through to the complaint below.
  }
  if (!Array.isArray(operations))
    throw new StatusError(500, 'InternalError', 'Internal error occurred: invalid JSON patch');
  return operations as readonly JsonValue[];
}

const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

/** The refusal that a webhook's status amounts to. Follows webhook/errors.ToStatusErr, v1.33. */
export function denied(webhook: string, result: Partial<Status> = {}): StatusError {
  const by = `admission webhook "${webhook}" denied the request`;
  const { message, reason = '', code = 0, details } = result;
  const text = message ? `${by}: ${message}` : reason ? `${by}: ${reason}` : `${by} without explanation`;
  return new StatusError(Math.max(code, 400), reason, text, details);
}
