import { MAX_NODE_SCORE } from '../framework/plugin.ts';

/** Stretches scores to [0, 100], in place; `reverse`: the lowest is the best. Follows helper.DefaultNormalizeScore, v1.33. */
export function normalizeScores(scores: number[], reverse: boolean): void {
  const most = scores.reduce((max, score) => Math.max(max, score), 0);
  if (most === 0) {
    if (reverse) scores.fill(MAX_NODE_SCORE);
    return;
  }
  for (let i = 0; i < scores.length; i++) {
    const scaled = Math.floor((MAX_NODE_SCORE * (scores[i] as number)) / most);
    scores[i] = reverse ? MAX_NODE_SCORE - scaled : scaled;
  }
}
