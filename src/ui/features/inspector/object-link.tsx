import type { ObjectKey } from '../../cluster-store/kube-object.ts';
import { Link } from '../../components/parts.tsx';
import { findResource } from '../../session/discovery.ts';
import type { InspectorTab } from '../../session/selection.ts';
import { useSelection, useSession } from '../../session/session.ts';
import { partsOf } from './why-sentences.ts';

/** Opens an object by its key; nothing happens when its kind is not served (any more). */
export function useOpenObject(): (key: ObjectKey, tab?: InspectorTab) => void {
  const { api } = useSession();
  const select = useSelection((state) => state.select);
  return (key, tab = 'overview') => {
    const [plural = '', ...names] = key.split('/');
    const name = names.at(-1) ?? '';
    findResource(api, plural).then(
      (resource) =>
        resource &&
        select({ type: 'object', resource, name, ...(names.length > 1 ? { namespace: names[0] } : {}) }, tab),
      () => {},
    );
  };
}

/** A name that opens its object. */
export function ObjectLink({
  object,
  tab,
  children,
}: {
  readonly object: ObjectKey;
  readonly tab?: InspectorTab;
  readonly children: string;
}) {
  const open = useOpenObject();
  return <Link onClick={() => open(object, tab)}>{children}</Link>;
}

/** A sentence in which the objects that it mentions can be opened. */
export function Sentence({ text, tab }: { readonly text: string; readonly tab?: InspectorTab }) {
  return (
    <>
      {partsOf(text).map((part, at) =>
        part.object === undefined ? (
          <span key={at}>{part.text}</span>
        ) : (
          <ObjectLink key={at} object={part.object} {...(tab ? { tab } : {})}>
            {part.text}
          </ObjectLink>
        ),
      )}
    </>
  );
}
