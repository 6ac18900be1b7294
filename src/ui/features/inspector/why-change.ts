import type { KeyRevision } from '#hosts/control.ts';
import type { KubeObject } from '../../cluster-store/kube-object.ts';

/** What one revision of an object changed, by what people call it. */
export type Change =
  | { readonly type: 'created' | 'deleted' | 'deleting' | 'ready' | 'unready' | 'unknown' }
  | { readonly type: 'scaled' | 'image' | 'phase'; readonly from: string; readonly to: string }
  | { readonly type: 'bound'; readonly to: string }
  /** `fields` as paths, such as `spec.replicas`. */
  | { readonly type: 'spec' | 'status' | 'metadata'; readonly fields: readonly string[] };

type Plain = Readonly<Record<string, unknown>>;

/** Fields that every write changes, and that say nothing. */
const NOISE: ReadonlySet<string> = new Set([
  'metadata.managedFields',
  'metadata.resourceVersion',
  'metadata.generation',
  'status.observedGeneration',
]);
/** What an element of a list is known by. */
const KEYS = ['name', 'type', 'ip', 'key'] as const;
const MAX_DEPTH = 4;

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function keyed(list: readonly unknown[]): ReadonlyMap<string, unknown> {
  return new Map(
    list.map((item, at) => {
      const key = isPlain(item) ? KEYS.find((name) => typeof item[name] === 'string') : undefined;
      return [key ? String((item as Plain)[key]) : String(at), item];
    }),
  );
}

/** The paths whose values differ, in order, no deeper than helps: `status.conditions[Ready].status`. */
export function changedFields(before: unknown, after: unknown, path = '', depth = 0): string[] {
  if (before === after || NOISE.has(path)) return [];
  if (depth < MAX_DEPTH && isPlain(before ?? {}) && isPlain(after ?? {}) && (before || after)) {
    const a = (before ?? {}) as Plain;
    const b = (after ?? {}) as Plain;
    if (depth > 1 && (before === undefined || after === undefined)) return [path];
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((name) =>
      changedFields(a[name], b[name], path ? `${path}.${name}` : name, depth + 1),
    );
  }
  if (Array.isArray(before) && Array.isArray(after) && depth < MAX_DEPTH) {
    const a = keyed(before);
    const b = keyed(after);
    return [...new Set([...a.keys(), ...b.keys()])].flatMap((key) =>
      changedFields(a.get(key), b.get(key), `${path}[${key}]`, depth + 1),
    );
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [path];
}

interface Known extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly nodeName?: string;
    readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } };
    readonly containers?: readonly Container[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}
interface Container {
  readonly name: string;
  readonly image?: string;
}

const imagesOf = ({ spec }: Known) =>
  (spec?.template?.spec?.containers ?? spec?.containers ?? []).map(({ image }) => image ?? '').join(', ');
const readiness = ({ status }: Known) => status?.conditions?.find(({ type }) => type === 'Ready')?.status;

/** What a revision did, seen beside the one before it. */
export function changeOf(revision: KeyRevision | undefined, previous: KeyRevision | undefined): Change {
  if (!revision) return { type: 'unknown' };
  const after = revision.object as Known | undefined;
  if (!after) return { type: 'deleted' };
  const before = previous?.object as Known | undefined;
  if (!before) return { type: revision.version <= 1 || previous ? 'created' : 'unknown' };
  if (!before.metadata.deletionTimestamp && after.metadata.deletionTimestamp) return { type: 'deleting' };
  if (!before.spec?.nodeName && after.spec?.nodeName) return { type: 'bound', to: after.spec.nodeName };
  const replicas = [before.spec?.replicas, after.spec?.replicas];
  if (replicas[0] !== replicas[1])
    return { type: 'scaled', from: String(replicas[0] ?? 1), to: String(replicas[1] ?? 1) };
  const images = [imagesOf(before), imagesOf(after)] as const;
  if (images[0] !== images[1]) return { type: 'image', from: images[0], to: images[1] };
  const fields = changedFields(before, after);
  const spec = fields.filter((field) => !/^(status|metadata)\b/.test(field));
  if (spec.length > 0) return { type: 'spec', fields: spec };
  const status = fields.filter((field) => field.startsWith('status'));
  if (status.length === 0) return { type: 'metadata', fields };
  const ready = readiness(after);
  if (ready !== readiness(before) && (ready === 'True' || readiness(before) === 'True')) {
    return { type: ready === 'True' ? 'ready' : 'unready' };
  }
  const phases = [before.status?.phase ?? '', after.status?.phase ?? ''] as const;
  if (phases[0] !== phases[1]) return { type: 'phase', from: phases[0], to: phases[1] };
  return { type: 'status', fields: status };
}
