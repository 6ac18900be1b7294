/**
 * Replaces `$(NAME)` by what `valueOf` says; names that it does not know stay as they are, and `$$` is a plain dollar.
 * Follows third_party/forked/golang/expansion, v1.33.
 */
export function expand(text: string, valueOf: (name: string) => string | undefined): string {
  if (!text.includes('$')) return text;
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name?: string) => {
    if (name === undefined) return '$';
    return valueOf(name) ?? whole;
  });
}
