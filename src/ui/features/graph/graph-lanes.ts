import type { Box } from './geometry.ts';

/** How the objects of a lane are drawn: with all words, with a name, or as a cell. */
export type LaneDetail = 'card' | 'chip' | 'cell';

/** A lane holds objects that are on no Node: what keeps Pods, and what leads to them. */
export interface LaneLoad {
  /** Places that are taken by users' objects. */
  readonly places: number;
  /** The cluster's own, which stand small in the head of the lane. */
  readonly system: number;
}

const SIZES: Readonly<Record<LaneDetail, { readonly width: number; readonly height: number; readonly gap: number }>> = {
  card: { width: 132, height: 42, gap: 6 },
  chip: { width: 87, height: 20, gap: 4 },
  cell: { width: 14, height: 14, gap: 3 },
};
const HEAD = 26;
const PADDING = 10;
const TITLE_WIDTH = 68;
const SYSTEM = { chip: { width: 76, height: 17, gap: 4 }, cell: SIZES.cell } as const;
/** Up to how many rows each detail goes. */
const ROWS: Readonly<Record<LaneDetail, number>> = { card: 2, chip: 5, cell: 12 };

const perRow = (width: number, item: { readonly width: number; readonly gap: number }) =>
  Math.max(1, Math.floor((width + item.gap) / (item.width + item.gap)));

/** The detail in which so many objects fit into a lane of this width. */
export function laneDetail(width: number, places: number): LaneDetail {
  const inner = width - 2 * PADDING;
  for (const detail of ['card', 'chip'] as const)
    if (places <= perRow(inner, SIZES[detail]) * ROWS[detail]) return detail;
  return 'cell';
}

/** At least a row of cards, so that the first object moves nothing. */
export function laneHeight(width: number, { places }: LaneLoad): number {
  const detail = laneDetail(width, places);
  const { height, gap } = SIZES[detail];
  const rows = Math.max(1, Math.min(ROWS[detail], Math.ceil(places / perRow(width - 2 * PADDING, SIZES[detail]))));
  return HEAD + Math.max(SIZES.card.height, rows * (height + gap) - gap) + PADDING;
}

/** How many objects a lane of this width can draw at all. */
export const lanePlaces = (width: number): number => perRow(width - 2 * PADDING, SIZES.cell) * ROWS.cell;

/** Where the object with this place stands in its lane. */
export function laneBox(lane: Box, detail: LaneDetail, slot: number): Box {
  const { width, height, gap } = SIZES[detail];
  const inRow = perRow(lane.width - 2 * PADDING, SIZES[detail]);
  return {
    x: lane.x + PADDING + (slot % inRow) * (width + gap),
    y: lane.y + HEAD + Math.floor(slot / inRow) * (height + gap),
    width,
    height,
  };
}

/** Whether the cluster's own objects have room for their names in the head of a lane, and how many have any. */
export function laneSystem(width: number, system: number): { readonly look: 'chip' | 'cell'; readonly places: number } {
  const room = width - 2 * PADDING - TITLE_WIDTH;
  const chips = Math.floor((room + SYSTEM.chip.gap) / (SYSTEM.chip.width + SYSTEM.chip.gap));
  if (system <= chips) return { look: 'chip', places: system };
  return { look: 'cell', places: Math.min(system, perRow(room, SYSTEM.cell)) };
}

/** Where one of the cluster's own stands: from the right, in the lane's head. */
export function laneSystemBox(lane: Box, look: 'chip' | 'cell', slot: number): Box {
  const { width, height, gap } = SYSTEM[look];
  return {
    x: lane.x + lane.width - PADDING - (slot + 1) * (width + gap) + gap,
    y: lane.y + (HEAD - height) / 2,
    width,
    height,
  };
}
