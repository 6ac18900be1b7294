import { useEffect, useState } from 'react';
import type { Control, KeyRevision, TraceSpan } from '#hosts/control.ts';
import type { ResourceType } from '../../cluster-store/kube-object.ts';
import { attribute } from '../../cluster-store/span-view.ts';
import { useSession } from '../../session/session.ts';
import { changeOf } from './why-change.ts';
import { actorOf, whyChain, type Act } from './why-chain.ts';

type Recorded = Pick<Control, 'revisions' | 'ancestry'>;

const MAX_SPANS = 400;
/** A write, its request, and what sent that: enough to know who it was. */
const NEAR = 6;
const MAX_CHANGES = 60;

/** Where kinds are stored that are not stored under their plural name. */
const PREFIXES: Readonly<Record<string, string>> = {
  nodes: 'minions',
  services: 'services/specs',
  endpoints: 'services/endpoints',
};

/** The etcd keys under which an object may be. */
function keysOf({ group, plural }: ResourceType, namespace: string | undefined, name: string): readonly string[] {
  const rest = namespace ? `${namespace}/${name}` : name;
  const known = `/registry/${(group === '' && PREFIXES[plural]) || plural}/${rest}`;
  return group.includes('.') ? [known, `/registry/${group}/${plural}/${rest}`] : [known];
}

/** The revisions of an object's life, or of its last one, oldest first. */
export async function lifeOf(
  control: Recorded,
  resource: ResourceType,
  namespace: string | undefined,
  name: string,
): Promise<readonly KeyRevision[]> {
  for (const key of keysOf(resource, namespace, name)) {
    const all = await control.revisions(key);
    if (all.length === 0) continue;
    const born = all.findLastIndex((revision, at) => revision.object !== undefined && !all[at - 1]?.object);
    return all.slice(Math.max(0, born));
  }
  return [];
}

/** How a revision came to be: see {@link whyChain}. */
export async function recordedChain(control: Recorded, write: number): Promise<readonly Act[]> {
  const spans = await control.ancestry(write, MAX_SPANS);
  const keys = new Set(
    whyChain(write, spans, new Map()).flatMap(({ spans: own }) =>
      own.filter(({ kind }) => kind === 'write').map((span) => attribute(span, 'key')),
    ),
  );
  const histories = await Promise.all([...keys].map(async (key) => [key, await control.revisions(key)] as const));
  return whyChain(write, spans, new Map(histories));
}

/** One revision with who made it. */
export interface RecordedChange {
  readonly revision: KeyRevision;
  readonly act: Act;
}

/** Who made each of the revisions; of many, the first one and the newest. */
export async function recordedChanges(
  control: Recorded,
  life: readonly KeyRevision[],
): Promise<readonly RecordedChange[]> {
  const shown = life.length > MAX_CHANGES ? [...life.slice(0, 1), ...life.slice(1 - MAX_CHANGES)] : life;
  return Promise.all(
    shown.map(async (revision): Promise<RecordedChange> => {
      const previous = life[life.indexOf(revision) - 1];
      const near: readonly TraceSpan[] = await control.ancestry(revision.span, NEAR);
      const [own] = whyChain(
        revision.span,
        near,
        new Map([[revision.key, previous ? [previous, revision] : [revision]]]),
      );
      const act: Act = own ?? {
        actor: actorOf([]),
        object: undefined,
        change: changeOf(revision, previous),
        decision: undefined,
        looksAfter: undefined,
        spans: [],
        revision,
        previous,
        others: 0,
      };
      return { revision, act };
    }),
  );
}

export interface Why {
  readonly changes: readonly RecordedChange[];
  /** From the revision that is asked about back to what it began with. */
  readonly chain: readonly Act[];
  /** The revision that `chain` explains. */
  readonly asked: number | undefined;
}

/**
 * What was recorded of how an object came to be, or of how one of its revisions did. Undefined while it is looked up;
 * read again when the object changes.
 */
export function useWhy(
  resource: ResourceType,
  namespace: string | undefined,
  name: string,
  version: string | undefined,
  revision: number | undefined,
): Why | undefined {
  const { control } = useSession();
  const [read, setRead] = useState<Why>();
  useEffect(() => {
    let over = false;
    const look = async () => {
      const life = await lifeOf(control, resource, namespace, name);
      const asked = life.find((candidate) => candidate.revision === revision) ?? life[0];
      const [changes, chain] = await Promise.all([
        recordedChanges(control, life),
        asked ? recordedChain(control, asked.span) : [],
      ]);
      if (!over) setRead({ changes, chain, asked: asked?.revision });
    };
    // The engine may be gone; the page says so elsewhere.
    look().catch(() => {});
    return () => {
      over = true;
    };
  }, [control, resource, namespace, name, version, revision]);
  return read;
}
