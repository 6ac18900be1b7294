import type { JsonObject } from '#apimachinery/json.ts';
import type { DescribeContext } from './context.ts';
import type { Description } from './writer.ts';

/** Describes the objects of some kinds. */
export interface Describer {
  /** `Kind.group`; `Kind` for the core group. */
  readonly kinds: readonly string[];
  /** The version it wants the object in, where that is not the preferred one. */
  readonly version?: string;
  describe(w: Description, object: JsonObject, context: DescribeContext): Promise<void> | void;
  /** What to show when the server does not give the object; undefined to fail with its error. */
  missing?(w: Description, name: string, namespace: string, error: Error, context: DescribeContext): Promise<boolean>;
}
