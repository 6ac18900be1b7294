import { Handle, Position } from '@xyflow/react';
import styles from './graph.module.css';

/** Edges are drawn along routes of our own; React Flow needs places to hang them on all the same. */
export function Handles() {
  return (
    <>
      <Handle type="source" position={Position.Top} className={styles.handle} isConnectable={false} />
      <Handle type="target" position={Position.Bottom} className={styles.handle} isConnectable={false} />
    </>
  );
}

/** A name of which the end is seen too, however little room there is. What stands between `stem` and end tells nothing. */
export function Name({ name, stem }: { readonly name: string; readonly stem?: string }) {
  const cut = name.length > 12 ? name.length - 6 : name.length;
  const brief = Boolean(stem) && (stem as string).length < cut - 2 && name.startsWith(stem as string);
  return (
    <strong className={styles.name}>
      <span>{brief ? stem : name.slice(0, cut)}</span>
      <span>
        {brief && '…'}
        {name.slice(cut)}
      </span>
    </strong>
  );
}
