import { defineResource } from '#apimachinery/resource.ts';
import type { SubjectAccessReview } from '../../generated/types.ts';

/** May they? Nothing of it is stored: the answer comes with the request. */
export const subjectAccessReviews = defineResource<SubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  singular: 'subjectaccessreview',
  scope: 'Cluster',
  schema: 'io.k8s.api.authorization.v1.SubjectAccessReview',
  verbs: ['create'],
});
