import { mutatingWebhookConfigurations } from '#api/admissionregistration/v1/mutating-webhook-configuration.ts';
import { validatingWebhookConfigurations } from '#api/admissionregistration/v1/validating-webhook-configuration.ts';
import type { MutatingWebhook, ValidatingWebhook, WebhookClientConfig } from '#api/generated/types.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { badRequest, forbidden, internalError, StatusError } from '#apimachinery/status-error.ts';
import type { AdmissionAttributes, AdmissionPlugin, Reinvocation, RequestContext } from '#apiserver/contract.ts';
import {
  admissionRequest,
  type AdmissionVerdict,
  denied,
  InvalidVerdictError,
  readVerdict,
} from './admission-review.ts';
import { type AdmissionExpressions, conditionsMatch } from './match-conditions.ts';
import { isExempt, matchesNamespace, matchesObject, matchesRule } from './webhook-matching.ts';

/** One call of a webhook. */
export interface WebhookCall {
  readonly client: WebhookClientConfig;
  /** Where the configuration says that it is; with the timeout, as it shows in errors. */
  readonly url: string;
  /** JSON. */
  readonly body: string;
  readonly timeoutMs: number;
}

/** Sends an AdmissionReview to a webhook and brings its answer. Throws an Error with Go's words for what went wrong. */
export type WebhookCaller = (
  call: WebhookCall,
  context: RequestContext,
) => Promise<{ readonly status: number; readonly body: string }>;

/** What webhooks need that is not theirs. */
export interface WebhookOptions {
  readonly call: WebhookCaller;
  /** Undefined while nobody has brought what expressions are compiled by. */
  readonly expressions: () => AdmissionExpressions | undefined;
}

type Webhook = MutatingWebhook | ValidatingWebhook;

/** A webhook could not be asked, or answered nonsense; the failure policy decides what that means. */
class CallError extends Error {
  override readonly name = 'CallError';
}

const MUTATING = 'MutatingAdmissionWebhook';

/**
 * Asks the webhooks of MutatingWebhookConfigurations, by name, one after the other. Follows
 * apiserver/pkg/admission/plugin/webhook/mutating, v1.33. Differs from upstream: `matchPolicy: Equivalent` is as Exact.
 */
export function mutatingAdmissionWebhook(options: WebhookOptions): AdmissionPlugin {
  return {
    name: MUTATING,
    admit(attributes, context) {
      const { object } = attributes;
      if (isExempt(attributes)) return object;
      const hooks = hooksOf(context.readAll(mutatingWebhookConfigurations), attributes, context, options);
      return hooks.length === 0 ? object : mutate(hooks, attributes, context, options);
    },
  };
}

/**
 * Asks the webhooks of ValidatingWebhookConfigurations. Follows apiserver/pkg/admission/plugin/webhook/validating, v1.33.
 * Differs from upstream: they are asked one after the other; all of them, also when one has refused.
 */
export function validatingAdmissionWebhook(options: WebhookOptions): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    validate(attributes, context) {
      if (isExempt(attributes)) return undefined;
      const hooks = hooksOf(context.readAll(validatingWebhookConfigurations), attributes, context, options);
      return hooks.length === 0 ? undefined : validate(hooks, attributes, context, options);
    },
  };
}

interface Hook<W extends Webhook> {
  readonly webhook: W;
  readonly configuration: string;
}

/** The webhooks that want to know of the request. */
function hooksOf<W extends Webhook>(
  configurations: readonly (ApiObject & { readonly webhooks?: readonly W[] })[],
  attributes: AdmissionAttributes,
  context: RequestContext,
  { expressions }: WebhookOptions,
): readonly Hook<W>[] {
  const hooks: Hook<W>[] = [];
  for (const { metadata, webhooks = [] } of configurations) {
    for (const webhook of webhooks) {
      if (!webhook.rules?.some((rule) => matchesRule(rule, attributes))) continue;
      if (!matchesNamespace(webhook.namespaceSelector, attributes, context)) continue;
      if (!matchesObject(webhook.objectSelector, attributes)) continue;
      const { matchConditions = [] } = webhook;
      if (matchConditions.length > 0) {
        const fails = webhook.failurePolicy !== 'Ignore';
        const matched = conditionsMatch(matchConditions, attributes, context, expressions(), fails);
        if (typeof matched === 'string') throw forbidden(attributes.resource, attributes.name, matched);
        if (!matched) continue;
      }
      hooks.push({ webhook, configuration: metadata.name ?? '' });
    }
  }
  return hooks;
}

/** What is remembered from the first round to the second. */
interface Round {
  last?: ApiObject;
  again: Set<string>;
  invoked: Set<string>;
}

async function mutate(
  hooks: readonly Hook<MutatingWebhook>[],
  attributes: AdmissionAttributes,
  context: RequestContext,
  options: WebhookOptions,
): Promise<ApiObject | undefined> {
  const reinvocation: Reinvocation = attributes.reinvocation ?? { again: false, wanted: false, kept: new Map() };
  const round = (reinvocation.kept.get(MUTATING) as Round | undefined) ?? { again: new Set(), invoked: new Set() };
  reinvocation.kept.set(MUTATING, round);
  const askAgain = () => {
    for (const key of round.invoked) round.again.add(key);
    round.invoked = new Set();
  };
  let { object } = attributes;
  if (reinvocation.again && !jsonEqual(object, round.last)) askAgain();
  let i = -1;
  for (const { webhook, configuration } of hooks) {
    i++;
    const key = `${configuration}/${webhook.name}`;
    if (reinvocation.again && !round.again.delete(key)) continue;
    const place = `round_${reinvocation.again ? 1 : 0}_index_${i}`;
    let verdict: AdmissionVerdict | undefined;
    try {
      verdict = await ask(webhook, true, { ...attributes, object }, context, options);
    } catch (error) {
      failed(webhook, error);
      context.annotate(`failed-open.mutation.webhook.admission.k8s.io/${place}`, webhook.name);
    }
    let changed = false;
    if (verdict?.patch?.length) {
      if (!object) {
        const why = `admission webhook "${webhook.name}" attempted to modify the object, which is not supported for this operation`;
        throw internalError(why);
      }
      const next = context.patched(object, verdict.patch);
      changed = !jsonEqual(next, object);
      if (changed) object = next;
      const patch = { configuration, webhook: webhook.name, patch: verdict.patch, patchType: 'JSONPatch' };
      context.annotate(`patch.webhook.admission.k8s.io/${place}`, JSON.stringify(patch));
    }
    context.annotate(
      `mutation.webhook.admission.k8s.io/${place}`,
      JSON.stringify({ configuration, webhook: webhook.name, mutated: changed }),
    );
    if (changed) {
      askAgain();
      reinvocation.wanted = true;
    }
    if (webhook.reinvocationPolicy === 'IfNeeded') round.invoked.add(key);
  }
  round.last = object;
  return object;
}

async function validate(
  hooks: readonly Hook<ValidatingWebhook>[],
  attributes: AdmissionAttributes,
  context: RequestContext,
  options: WebhookOptions,
): Promise<void> {
  let first: unknown;
  let i = -1;
  for (const { webhook } of hooks) {
    i++;
    try {
      await ask(webhook, false, attributes, context, options);
    } catch (error) {
      try {
        failed(webhook, error);
        context.annotate(`failed-open.validating.webhook.admission.k8s.io/round_0_index_${i}`, webhook.name);
      } catch (refusal) {
        first ??= refusal;
      }
    }
  }
  if (first) throw first as Error;
}

/** Throws what the request is answered with, unless failures of the webhook are to be ignored. */
function failed({ name, failurePolicy }: Webhook, error: unknown): void {
  if (!(error instanceof CallError)) throw error;
  if (failurePolicy !== 'Ignore') throw internalError(`failed calling webhook "${name}": ${error.message}`);
}

/** Asks one webhook. Throws its refusal, or {@link CallError}. */
async function ask(
  webhook: Webhook,
  mutating: boolean,
  attributes: AdmissionAttributes,
  context: RequestContext,
  { call }: WebhookOptions,
): Promise<AdmissionVerdict> {
  const { name, clientConfig, sideEffects, timeoutSeconds = 10, admissionReviewVersions } = webhook;
  if (attributes.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') {
    throw badRequest(`admission webhook "${name}" does not support dry run`);
  }
  const version = admissionReviewVersions.find((each) => each === 'v1' || each === 'v1beta1');
  if (!version) {
    throw new CallError(
      `could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)`,
    );
  }
  const uid = context.uuid();
  const request = admissionRequest(attributes, context, uid);
  const apiVersion = `admission.k8s.io/${version}`;
  const body = JSON.stringify({ kind: 'AdmissionReview', apiVersion, request });
  const url = urlOf(clientConfig, timeoutSeconds);
  let answer: { readonly status: number; readonly body: string };
  try {
    answer = await call({ client: clientConfig, url, body, timeoutMs: timeoutSeconds * 1000 }, context);
  } catch (error) {
    if (error instanceof StatusError || !(error instanceof Error)) throw error;
    throw new CallError(`failed to call webhook: Post "${url}": ${error.message}`);
  }
  if (answer.status < 200 || answer.status > 206) {
    const why =
      answer.status === 404
        ? 'the server could not find the requested resource'
        : `an error on the server (${JSON.stringify(answer.body.trim() || 'unknown')}) has prevented the request from succeeding`;
    throw new CallError(`failed to call webhook: ${why}`);
  }
  let verdict: AdmissionVerdict;
  try {
    verdict = readVerdict(answer.body, uid, version, mutating);
  } catch (error) {
    if (!(error instanceof InvalidVerdictError)) throw error;
    throw new CallError(`received invalid webhook response: ${error.message}`);
  }
  for (const [key, text] of Object.entries(verdict.auditAnnotations)) context.annotate(`${name}/${key}`, text);
  for (const text of verdict.warnings) context.warn(text);
  if (!verdict.allowed) throw denied(name, verdict.result);
  return verdict;
}

function urlOf({ url, service }: WebhookClientConfig, timeoutSeconds: number): string {
  const timeout = `timeout=${timeoutSeconds}s`;
  if (!service) return `${url ?? ''}${url?.includes('?') ? '&' : '?'}${timeout}`;
  const { name, namespace, port = 443, path = '/' } = service;
  return `https://${name}.${namespace}.svc:${port}${path.startsWith('/') ? path : `/${path}`}?${timeout}`;
}
