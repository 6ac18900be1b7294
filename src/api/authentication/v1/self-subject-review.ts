import { defineResource } from '#apimachinery/resource.ts';
import type { SelfSubjectReview } from '../../generated/types.ts';

/** Who am I? Nothing of it is stored: the answer comes with the request. */
export const selfSubjectReviews = defineResource<SelfSubjectReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  singular: 'selfsubjectreview',
  scope: 'Cluster',
  schema: 'io.k8s.api.authentication.v1.SelfSubjectReview',
  verbs: ['create'],
});
