import { expect, test } from 'vitest';
import type { Box } from './geometry.ts';
import { laneBox, laneDetail, laneHeight, lanePlaces, laneSystem, laneSystemBox } from './graph-lanes.ts';

const overlap = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
const inside = (inner: Box, outer: Box) =>
  inner.x >= outer.x &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

test.each([
  [290, 1, 'card'],
  [290, 4, 'card'],
  [290, 5, 'chip'],
  [290, 50, 'cell'],
  [600, 8, 'card'],
])('a lane %i wide draws %i objects as %s, within and apart', (width, places, detail) => {
  expect(laneDetail(width, places)).toBe(detail);
  const lane = { x: 7, y: 9, width, height: laneHeight(width, { places, system: 2 }) };
  const boxes = Array.from({ length: places }, (_, slot) => laneBox(lane, laneDetail(width, places), slot));
  const system = laneSystem(width, 2);
  for (let slot = 0; slot < system.places; slot++) boxes.push(laneSystemBox(lane, system.look, slot));
  boxes.forEach((box, at) => {
    expect(inside(box, lane)).toBe(true);
    for (const other of boxes.slice(at + 1)) expect(overlap(box, other)).toBe(false);
  });
});

test('the cluster’s own get smaller when they are many, and a lane has an end', () => {
  expect(laneSystem(290, 2).look).toBe('chip');
  expect(laneSystem(290, 9)).toEqual({ look: 'cell', places: 9 });
  expect(lanePlaces(290)).toBeGreaterThan(100);
});
