import { selfSubjectReviews } from '#api/authentication/v1/self-subject-review.ts';
import { tokenReviews } from '#api/authentication/v1/token-review.ts';
import { localSubjectAccessReviews } from '#api/authorization/v1/local-subject-access-review.ts';
import { selfSubjectAccessReviews } from '#api/authorization/v1/self-subject-access-review.ts';
import { selfSubjectRulesReviews } from '#api/authorization/v1/self-subject-rules-review.ts';
import { subjectAccessReviews } from '#api/authorization/v1/subject-access-review.ts';
import type {
  NonResourceAttributes,
  ResourceAttributes,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewStatus,
  TokenReview,
  TokenReviewStatus,
} from '#api/generated/types.ts';
import type { UserInfo } from '#apimachinery/api-request.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { badRequest, invalid } from '#apimachinery/status-error.ts';
import { child, GoValue, goQuote, invalidField, required } from '#apimachinery/validation.ts';
import type { Authorizer } from '#apiserver/authorization.ts';
import type { RequestContext, VirtualResource } from '#apiserver/contract.ts';
import { formatTime } from '#base/clock.ts';
import { type TokenAuthenticator, TokenError } from './token-authenticator.ts';

const review = <T extends ApiObject>(
  resource: ResourceDefinition<T>,
  answer: (object: T, context: RequestContext) => T,
): VirtualResource => ({
  resource: resource as unknown as ResourceDefinition,
  create: (context) => answer(context.request.object as unknown as T, context) as ApiObject,
});

/**
 * The APIs that say who somebody is and what they may do. Follows pkg/registry/authentication and
 * pkg/registry/authorization, v1.33.
 */
export function reviews(tokens: () => TokenAuthenticator): readonly VirtualResource[] {
  return [
    review(selfSubjectReviews, ({ apiVersion, kind }, { request: { user }, now }) => ({
      apiVersion,
      kind,
      metadata: { creationTimestamp: formatTime(now) },
      status: { userInfo: infoOf(user) },
    })),
    review(tokenReviews, (object, { now }) => ({ ...object, status: reviewToken(object, tokens(), now) })),
    review(selfSubjectAccessReviews, (object, { request: { user }, authorizer }) => {
      check(selfSubjectAccessReviews, [...validateAttributes(object.spec), ...validateMeta(object)]);
      return { ...object, status: decide(user, object.spec, authorizer) };
    }),
    review(subjectAccessReviews, (object, { authorizer }) => {
      check(subjectAccessReviews, [...validateSpec(object.spec), ...validateMeta(object)]);
      return { ...object, status: decide(subjectOf(object.spec), object.spec, authorizer) };
    }),
    review(localSubjectAccessReviews, (object, { authorizer }) => {
      check(localSubjectAccessReviews, validateLocal(object));
      return { ...object, status: decide(subjectOf(object.spec), object.spec, authorizer) };
    }),
    review(selfSubjectRulesReviews, reviewRules),
  ];
}

const infoOf = ({ name, uid, groups, extra }: UserInfo) => ({
  username: name,
  ...(uid ? { uid } : {}),
  ...(groups.length ? { groups } : {}),
  ...(extra ? { extra } : {}),
});

function check(definition: { readonly group: string; readonly kind: string }, errors: readonly FieldError[]): void {
  if (errors.length) throw invalid(definition, '', errors);
}

type Attributes = {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: NonResourceAttributes;
};

// Upstream prints an address of its memory where it prints one of these.
const goPath = (attributes: NonResourceAttributes | undefined) =>
  attributes
    ? new GoValue(
        `authorization.NonResourceAttributes{Path:${goQuote(attributes.path ?? '')}, Verb:${goQuote(attributes.verb ?? '')}}`,
      )
    : new GoValue('null');

function validateAttributes({ resourceAttributes, nonResourceAttributes }: Attributes): FieldError[] {
  const errors: FieldError[] = [];
  if (resourceAttributes && nonResourceAttributes) {
    const why = 'cannot be specified in combination with resourceAttributes';
    errors.push(invalidField('spec.nonResourceAttributes', goPath(nonResourceAttributes), why));
  } else if (!resourceAttributes && !nonResourceAttributes) {
    const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    errors.push(invalidField('spec.resourceAttributes', goPath(undefined), why));
  }
  for (const name of ['fieldSelector', 'labelSelector'] as const) {
    const selector = resourceAttributes?.[name];
    if (!selector) continue;
    const path = child('spec.resourceAttributes', name);
    const { rawSelector, requirements } = selector;
    if (rawSelector && requirements?.length)
      errors.push(
        invalidField(child(path, 'rawSelector'), rawSelector, 'may not specified at the same time as requirements'),
      );
    else if (!rawSelector && !requirements?.length)
      errors.push(
        required(child(path, 'requirements'), `when ${path} is specified, requirements or rawSelector is required`),
      );
  }
  return errors;
}

function validateSpec(spec: SubjectAccessReview['spec']): FieldError[] {
  const errors = validateAttributes(spec);
  if (!spec.user && !spec.groups?.length)
    errors.push(invalidField('spec.user', '', 'at least one of user or group must be specified'));
  return errors;
}

function validateMeta({ metadata }: ApiObject, why = 'must be empty'): FieldError[] {
  const set = Object.values(metadata ?? {}).some((value) => value !== undefined && value !== '' && value !== null);
  return set ? [invalidField('metadata', new GoValue(JSON.stringify(metadata)), why)] : [];
}

function validateLocal({ metadata, spec }: SubjectAccessReview): FieldError[] {
  const { namespace, ...rest } = metadata;
  const errors = [...validateSpec(spec), ...validateMeta({ metadata: rest }, 'must be empty except for namespace')];
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (resourceAttributes && resourceAttributes.namespace !== namespace) {
    const asked = resourceAttributes.namespace ?? '';
    errors.push(invalidField('spec.resourceAttributes.namespace', asked, 'must match metadata.namespace'));
  }
  if (nonResourceAttributes) {
    const why = 'disallowed on this kind of request';
    errors.push(invalidField('spec.nonResourceAttributes', goPath(nonResourceAttributes), why));
  }
  return errors;
}

const subjectOf = ({ user = '', uid, groups = [], extra }: SubjectAccessReview['spec']): UserInfo => ({
  name: user,
  ...(uid ? { uid } : {}),
  groups,
  ...(extra ? { extra } : {}),
});

function decide(user: UserInfo, { resourceAttributes, nonResourceAttributes }: Attributes, authorizer: Authorizer) {
  const { allowed, denied, reason } = resourceAttributes
    ? authorizer.authorize({ ...accessOf(resourceAttributes), user })
    : authorizer.authorizePath({
        user,
        verb: nonResourceAttributes?.verb ?? '',
        path: nonResourceAttributes?.path ?? '',
      });
  return { allowed, ...(denied ? { denied } : {}), ...(reason ? { reason } : {}) } satisfies SubjectAccessReviewStatus;
}

function accessOf({ fieldSelector, ...attributes }: ResourceAttributes) {
  const { verb = '', group = '', version, resource = '', subresource, namespace, name } = attributes;
  const required = fieldSelector?.requirements
    ?.filter(({ operator }) => operator === 'In')
    .map(({ key, values }) => `${key}=${values?.[0] ?? ''}`);
  const selector = fieldSelector?.rawSelector || required?.join(',');
  const access = { verb, group, version, resource, subresource: subresource || undefined, namespace, name };
  return { ...access, ...(selector ? { options: { fieldSelector: selector } } : {}) };
}

function reviewRules(
  { apiVersion, kind, spec }: SelfSubjectRulesReview,
  { request: { user }, authorizer }: RequestContext,
): SelfSubjectRulesReview {
  if (!spec.namespace) throw badRequest('no namespace on request');
  const { rules, incomplete, error } = authorizer.rulesFor(user, spec.namespace);
  return {
    apiVersion,
    kind,
    metadata: {},
    spec: {},
    status: {
      resourceRules: rules
        .filter(({ resources }) => resources?.length)
        .map(({ verbs, apiGroups, resources, resourceNames }) => ({
          verbs,
          ...(apiGroups ? { apiGroups } : {}),
          ...(resources ? { resources } : {}),
          ...(resourceNames?.length ? { resourceNames } : {}),
        })),
      nonResourceRules: rules
        .filter(({ nonResourceURLs }) => nonResourceURLs?.length)
        .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
      incomplete,
      ...(error ? { evaluationError: error } : {}),
    },
  };
}

function reviewToken({ spec }: TokenReview, tokens: TokenAuthenticator, now: number): TokenReviewStatus {
  if (!spec.token) throw badRequest('token is required for TokenReview in authentication');
  try {
    const owner = tokens.authenticate(spec.token, now, spec.audiences);
    if (!owner) return { user: {}, error: 'invalid bearer token' };
    const user = infoOf({ ...owner.user, groups: [...owner.user.groups, 'system:authenticated'] });
    return { authenticated: true, user, audiences: owner.audiences };
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return { user: {}, error: `[invalid bearer token, ${error.message}]` };
  }
}
