import { defineResource } from '#apimachinery/resource.ts';
import type { LocalSubjectAccessReview } from '../../generated/types.ts';

/** May they, in this namespace? Nothing of it is stored: the answer comes with the request. */
export const localSubjectAccessReviews = defineResource<LocalSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  singular: 'localsubjectaccessreview',
  scope: 'Namespaced',
  schema: 'io.k8s.api.authorization.v1.LocalSubjectAccessReview',
  verbs: ['create'],
});
