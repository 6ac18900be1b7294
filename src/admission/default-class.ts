import type { ApiObject } from '#apimachinery/resource.ts';

/** Of several classes the newest one; of those of the same second the first by name. */
export function newestOf<T extends ApiObject>(classes: readonly T[]): T | undefined {
  const isBefore = ({ metadata: a }: T, { metadata: b }: T) => {
    const [ofA = '', ofB = ''] = [a.creationTimestamp, b.creationTimestamp];
    return ofA === ofB ? (a.name ?? '') < (b.name ?? '') : ofA > ofB;
  };
  return classes.reduce<T | undefined>((best, one) => (best && !isBefore(one, best) ? best : one), undefined);
}
