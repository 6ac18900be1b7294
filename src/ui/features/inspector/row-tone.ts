import { nodeTone, podTone, type Tone } from '../../cluster-store/status-tone.ts';
import type { Row } from '../../cluster-store/table.ts';

/** The tone of an object's STATUS, where its kind has one. */
export function rowTone(plural: string, row: Row): Tone | undefined {
  if (row.status === undefined) return undefined;
  if (plural === 'nodes') return nodeTone(row.status);
  return plural === 'pods' ? podTone(row.status, row.cells[1]) : 'done';
}
