/** Which place in a Node each Pod has; `undefined` is a place that was left. */
export type Slots = ReadonlyMap<string, readonly (string | undefined)[]>;

/**
 * Gives every member of each group a place. Who has one keeps it, newcomers take the first that is free, and places at
 * the end that nobody has are given up: so nothing moves because something else came or went.
 */
export function assignSlots(previous: Slots, groups: ReadonlyMap<string, readonly string[]>): Slots {
  const next = new Map<string, (string | undefined)[]>();
  for (const [group, members] of groups) {
    const present = new Set(members);
    const slots = (previous.get(group) ?? []).map((member) =>
      member !== undefined && present.delete(member) ? member : undefined,
    );
    let free = 0;
    for (const member of present) {
      while (free < slots.length && slots[free] !== undefined) free++;
      slots[free] = member;
    }
    while (slots.length > 0 && slots.at(-1) === undefined) slots.pop();
    next.set(group, slots);
  }
  return next;
}
