import { defineResource } from '#apimachinery/resource.ts';
import type { SelfSubjectRulesReview } from '../../generated/types.ts';

/** What may I? Nothing of it is stored: the answer comes with the request. */
export const selfSubjectRulesReviews = defineResource<SelfSubjectRulesReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  singular: 'selfsubjectrulesreview',
  scope: 'Cluster',
  schema: 'io.k8s.api.authorization.v1.SelfSubjectRulesReview',
  verbs: ['create'],
});
