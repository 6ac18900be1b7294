import { expect, test } from 'vitest';
import { nextPane, PANES } from './panes.ts';

test('F6 goes round all panes and back', () => {
  let pane = nextPane(undefined, 1, 'graph');
  expect(pane).toBe('graph');
  const seen = PANES.map(() => (pane = nextPane(pane, 1, 'graph')));
  expect(new Set(seen).size).toBe(PANES.length);
  expect(pane).toBe('graph');
  expect(nextPane(nextPane('editor', 1, 'graph'), -1, 'graph')).toBe('editor');
});
