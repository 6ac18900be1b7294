const SYSTEM_NAMESPACES: ReadonlySet<string> = new Set(['kube-system', 'kube-public', 'kube-node-lease']);

/** Whether what is in it belongs to the cluster itself. */
export const isSystem = (namespace: string): boolean => SYSTEM_NAMESPACES.has(namespace);
