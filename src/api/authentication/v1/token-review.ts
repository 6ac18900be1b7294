import { defineResource } from '#apimachinery/resource.ts';
import type { TokenReview } from '../../generated/types.ts';

/** Whose token is this? Nothing of it is stored: the answer comes with the request. */
export const tokenReviews = defineResource<TokenReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  singular: 'tokenreview',
  scope: 'Cluster',
  schema: 'io.k8s.api.authentication.v1.TokenReview',
  verbs: ['create'],
});
