import { nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import { secrets } from '#api/core/v1/secret.ts';
import { serviceAccounts } from '#api/core/v1/service-account.ts';
import type { TokenRequest } from '#api/generated/types.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { badRequest, conflict, invalid } from '#apimachinery/status-error.ts';
import { invalidField } from '#apimachinery/validation.ts';
import type { ObjectStore, SubresourceEndpoint } from '#apiserver/contract.ts';
import { formatTime } from '#base/clock.ts';
import type { BoundObjects, TokenIssuer } from './token-issuer.ts';

const KIND = { group: 'authentication.k8s.io', kind: 'TokenRequest' } as const;
/** The life of the tokens that admission gives to Pods; those live a year in truth, and warn after this. */
const WARN_ONLY_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 3600;

/** Issues tokens. Follows TokenREST of pkg/registry/core/serviceaccount/storage, v1.33. */
export function serviceAccountToken(issuer: TokenIssuer): SubresourceEndpoint {
  return {
    resource: serviceAccounts as unknown as ResourceDefinition,
    subresource: 'token',
    kind: { ...KIND, version: 'v1', schema: 'io.k8s.api.authentication.v1.TokenRequest' },
    verbs: ['create'],
    async create({ request, now }, store) {
      const { namespace, name = '' } = request;
      const token = request.object as TokenRequest;
      const { metadata } = token;
      const mismatch = (field: string, value: string) =>
        invalid(KIND, name, [
          invalidField(`metadata.${field}`, value, `must match the service account ${field} if specified`),
        ]);
      if (metadata.name && metadata.name !== name) throw mismatch('name', metadata.name);
      if (metadata.namespace && metadata.namespace !== namespace) throw mismatch('namespace', metadata.namespace);
      const account = store.get(serviceAccounts, namespace, name);
      const { spec } = token;
      // What a client does not say may be there as null.
      const expirationSeconds = spec?.expirationSeconds ?? 3600;
      const boundObjectRef = spec?.boundObjectRef ?? null;
      const audiences = token.spec?.audiences?.length ? token.spec.audiences : [issuer.issuer];
      const errors = validateExpiration(expirationSeconds);
      if (errors.length) throw invalid(KIND, '', errors);
      const bound = boundObjects(store, namespace, name, token);
      const seconds = Math.floor(now / 1000);
      const isPodToken =
        bound.pod && expirationSeconds === WARN_ONLY_SECONDS && audiences.every((one) => one === issuer.issuer);
      const text = issuer.issue(account, bound, audiences, {
        now: seconds,
        expires: seconds + (isPodToken ? EXTENDED_SECONDS : expirationSeconds),
        ...(isPodToken ? { warnAfter: seconds + expirationSeconds } : {}),
      });
      return {
        kind: 'TokenRequest',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: { ...metadata, name, namespace, creationTimestamp: formatTime(now) },
        spec: { audiences, expirationSeconds, boundObjectRef },
        status: { token: text, expirationTimestamp: formatTime(now + expirationSeconds * 1000) },
      } as TokenRequest;
    },
  };
}

function validateExpiration(seconds: number): FieldError[] {
  const path = 'spec.expirationSeconds';
  if (seconds < 600) return [invalidField(path, seconds, 'may not specify a duration less than 10 minutes')];
  if (seconds > 2 ** 32) return [invalidField(path, seconds, 'may not specify a duration larger than 2^32 seconds')];
  return [];
}

function boundObjects(
  store: ObjectStore,
  namespace: string | undefined,
  account: string,
  { spec }: TokenRequest,
): BoundObjects {
  const { apiVersion = '', kind = '', name = '', uid } = spec?.boundObjectRef ?? {};
  if (!spec?.boundObjectRef) return {};
  const check = <T extends { readonly metadata: { readonly uid?: string } }>(object: T): T => {
    if (uid && uid !== object.metadata.uid) {
      const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
      throw conflict({ group: '', plural: kind }, name, why);
    }
    return object;
  };
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  if (group === '' && kind === 'Pod') {
    const pod = store.get(pods, namespace, name);
    if (pod.spec.serviceAccountName !== account) {
      throw badRequest(
        `cannot bind token for serviceaccount "${account}" to pod running with different serviceaccount name.`,
      );
    }
    const { nodeName } = pod.spec;
    return { pod: check(pod), ...(nodeName ? { node: nodeOrName(store, nodeName) } : {}) };
  }
  if (group === '' && kind === 'Node') return { node: check(store.get(nodes, undefined, name)) };
  if (group === '' && kind === 'Secret') return { secret: check(store.get(secrets, namespace, name)) };
  throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
}

function nodeOrName(store: ObjectStore, name: string): NonNullable<BoundObjects['node']> {
  try {
    return store.get(nodes, undefined, name);
  } catch {
    return { metadata: { name } };
  }
}
