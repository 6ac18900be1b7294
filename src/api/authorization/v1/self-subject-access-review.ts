import { defineResource } from '#apimachinery/resource.ts';
import type { SelfSubjectAccessReview } from '../../generated/types.ts';

/** May I? Nothing of it is stored: the answer comes with the request. */
export const selfSubjectAccessReviews = defineResource<SelfSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  singular: 'selfsubjectaccessreview',
  scope: 'Cluster',
  schema: 'io.k8s.api.authorization.v1.SelfSubjectAccessReview',
  verbs: ['create'],
});
