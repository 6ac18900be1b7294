export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

/** A line of straight pieces, with the length up to each point. */
export interface Route {
  readonly points: readonly Point[];
  readonly lengths: readonly number[];
  /** The same as an SVG path with rounded corners. */
  readonly path: string;
}

const CORNER = 8;

const distance = (a: Point, b: Point) => Math.hypot(b.x - a.x, b.y - a.y);

function toward(from: Point, to: Point, length: number): Point {
  const share = length / (distance(from, to) || 1);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

const text = ({ x, y }: Point) => `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;

export function routeThrough(...corners: readonly Point[]): Route {
  const points = corners.filter((point, at) => at === 0 || distance(point, corners[at - 1] as Point) > 0.01);
  const lengths = [0];
  for (let at = 1; at < points.length; at++) {
    lengths.push((lengths[at - 1] as number) + distance(points[at - 1] as Point, points[at] as Point));
  }
  const parts = [`M${text(points[0] as Point)}`];
  for (let at = 1; at < points.length - 1; at++) {
    const [before, corner, after] = points.slice(at - 1, at + 2) as [Point, Point, Point];
    const radius = Math.min(CORNER, distance(before, corner) / 2, distance(corner, after) / 2);
    parts.push(`L${text(toward(corner, before, radius))}Q${text(corner)} ${text(toward(corner, after, radius))}`);
  }
  if (points.length > 1) parts.push(`L${text(points.at(-1) as Point)}`);
  return { points, lengths, path: parts.join('') };
}

/** The point at a share (0…1) of the way. */
export function pointAlong(route: Route, share: number): Point {
  const { points, lengths } = route;
  const goal = Math.min(1, Math.max(0, share)) * (lengths.at(-1) ?? 0);
  let at = 1;
  while (at < points.length - 1 && (lengths[at] as number) < goal) at++;
  const from = points[at - 1] as Point;
  const to = points[at] ?? from;
  return toward(from, to, goal - (lengths[at - 1] ?? 0));
}
