import { expect, test } from 'vitest';
import type { TraceSpan } from '#hosts/control.ts';
import { mergeSpans } from './trace-store.ts';

const span = (id: number, end?: number): TraceSpan => ({
  id,
  kind: 'request',
  component: 'c',
  name: 'n',
  parents: [],
  start: id,
  ...(end === undefined ? {} : { end }),
  attributes: {},
});

test('spans are kept in order, newest state each, up to the limit', () => {
  const spans: TraceSpan[] = [];
  mergeSpans(spans, [span(1), span(3), span(2), span(1, 9)]);
  expect(spans.map(({ id, end }) => [id, end])).toEqual([
    [1, 9],
    [2, undefined],
    [3, undefined],
  ]);
  mergeSpans(spans, [span(4), span(5)], 3);
  expect(spans.map(({ id }) => id)).toEqual([3, 4, 5]);
  mergeSpans(spans, [span(2, 8)], 3);
  expect(spans.map(({ id }) => id)).toEqual([3, 4, 5]);
});
