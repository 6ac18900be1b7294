import { pods } from '#api/core/v1/pod.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import { canonicalTime, TimeError } from '#apimachinery/go-time.ts';
import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { badRequest, internalError, invalid, StatusError } from '#apimachinery/status-error.ts';
import { forbiddenField, goQuote, invalidField } from '#apimachinery/validation.ts';
import type { SubresourceEndpoint } from '#apiserver/contract.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import type { HttpResponse } from '#transport/http.ts';
import {
  chosenContainer,
  encodeQuery,
  type KubeletFinder,
  kubeletRequest,
  requestedPod,
} from './kubelet-connection.ts';

/** What a container wrote, from the kubelet of its node. Follows LogREST of pkg/registry/core/pod/rest, v1.33. */
export function podLog(findKubelet: KubeletFinder): SubresourceEndpoint {
  return {
    resource: pods as unknown as ResourceDefinition,
    subresource: 'log',
    kind: { group: '', version: 'v1', kind: 'Pod', schema: 'io.k8s.api.core.v1.Pod' },
    verbs: ['get'],
    async connect(context, store) {
      const { name = '', parameters = {} } = context.request;
      const options = parseOptions(parameters);
      const errors = validateOptions(options);
      if (errors.length) throw invalid({ group: '', kind: 'PodLogOptions' }, name, errors);
      const pod = requestedPod(context, store);
      const container = chosenContainer(pod, options.container);
      // A Pod that is nowhere has said nothing.
      if (!pod.spec.nodeName) return { status: 204, headers: {}, body: new Uint8Array() };
      const query = encodeQuery(kubeletParameters(options));
      const target = `/containerLogs/${pod.metadata.namespace}/${name}/${container}${query ? `?${query}` : ''}`;
      const { kubelet, request } = kubeletRequest(context, store, findKubelet, pod.spec.nodeName, target);
      const response = await kubelet.handle(request);
      checkResponse(response, name);
      return { ...response, headers: { 'content-type': 'text/plain', ...response.headers } };
    },
  };
}

interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly sinceSeconds?: number;
  readonly sinceTime?: string;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly stream?: string;
}

/** Throws 400 in the words of Go's parsers. */
function parseOptions(parameters: Readonly<Record<string, readonly string[]>>): LogOptions {
  const isSet = (key: string) => {
    const value = parameters[key]?.[0];
    return value !== undefined && value !== '0' && value.toLowerCase() !== 'false';
  };
  const integer = (key: string) => {
    const value = parameters[key]?.[0];
    if (value === undefined) return {};
    if (!/^[+-]?\d+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing ${goQuote(value)}: invalid syntax`);
    return { [key]: Number(value) };
  };
  const stream = parameters.stream?.[0];
  return {
    container: parameters.container?.[0] ?? '',
    follow: isSet('follow'),
    previous: isSet('previous'),
    timestamps: isSet('timestamps'),
    ...integer('sinceSeconds'),
    ...sinceTime(parameters.sinceTime?.[0]),
    ...integer('tailLines'),
    ...integer('limitBytes'),
    ...(stream === undefined ? {} : { stream }),
  };
}

function sinceTime(text: string | undefined): { readonly sinceTime?: string } {
  if (!text) return {};
  try {
    const time = canonicalTime(text, 'time');
    return time === null ? {} : { sinceTime: time };
  } catch (error) {
    throw error instanceof TimeError ? badRequest(error.message) : error;
  }
}

function validateOptions({ tailLines, limitBytes, sinceSeconds, sinceTime, stream }: LogOptions): FieldError[] {
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0) {
    errors.push(invalidField('tailLines', tailLines, 'must be greater than or equal to 0'));
  }
  if (limitBytes !== undefined && limitBytes < 1) {
    errors.push(invalidField('limitBytes', limitBytes, 'must be greater than 0'));
  }
  if (sinceSeconds !== undefined && sinceTime !== undefined) {
    errors.push(forbiddenField('[]', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    errors.push(invalidField('sinceSeconds', sinceSeconds, 'must be greater than 0'));
  }
  // PodLogsQuerySplitStreams is off by default.
  if (stream !== undefined) errors.push(forbiddenField('stream', 'may not be specified'));
  return errors;
}

function kubeletParameters(options: LogOptions): Record<string, readonly string[]> {
  const { follow, previous, timestamps, sinceSeconds, sinceTime, tailLines, limitBytes } = options;
  const flag = (key: string, value: boolean) => (value ? { [key]: ['true'] } : {});
  const given = (key: string, value: string | number | undefined) =>
    value === undefined ? {} : { [key]: [String(value)] };
  return {
    ...flag('follow', follow),
    ...flag('previous', previous),
    ...flag('timestamps', timestamps),
    ...given('sinceSeconds', sinceSeconds),
    ...given('sinceTime', sinceTime),
    ...given('tailLines', tailLines),
    ...given('limitBytes', limitBytes),
  };
}

/** Turns the kubelet's refusal into the API server's. Follows apiserver/pkg/registry/generic/rest/response_checker.go, v1.33. */
function checkResponse({ status, body }: HttpResponse, name: string): void {
  if (status >= 200 && status <= 206) return;
  const text = body instanceof Uint8Array ? decodeUtf8(body.subarray(0, 2048)) : '';
  if (status === 500) throw internalError(text);
  if (status === 400) throw badRequest(text);
  const known = KNOWN[status];
  throw new StatusError(
    status,
    known?.[0] ?? 'Unknown',
    `${known?.[1] ?? `the server responded with the status code ${status} but did not return more information`} ( pods/log ${name})`,
    { name, kind: 'pods/log', causes: [{ reason: 'UnexpectedServerResponse', message: text || 'unknown' }] },
  );
}

const KNOWN: Readonly<Record<number, readonly [string, string]>> = {
  401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
  403: ['Forbidden', 'the server does not allow access to the requested resource'],
  404: ['NotFound', 'the server could not find the requested resource'],
  405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
};
