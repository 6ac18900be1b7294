import type { Container } from '#api/generated/types.ts';

/** Where a container remembers what it was made from. */
export const HASH_ANNOTATION = 'io.kubernetes.container.hash';

/** Changes when a container must be made anew: when its name or image does. Follows HashContainer of pkg/kubelet/container, v1.33. */
export function containerHash({ name, image }: Pick<Container, 'name' | 'image'>): string {
  const text = `{"name":${JSON.stringify(name)},"image":${JSON.stringify(image ?? '')}}`;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16);
}
