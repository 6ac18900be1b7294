import { goQuote } from './validation.ts';

/** A rule of access, as roles have them. */
export interface PolicyRuleLike {
  readonly apiGroups?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
}

/**
 * What of `wanted` the rules of `held` do not cover, in pieces of one verb and one resource or path. Follows
 * component-helpers/auth/rbac/validation, v1.33.
 */
export function missingRules(held: readonly PolicyRuleLike[], wanted: readonly PolicyRuleLike[]): PolicyRuleLike[] {
  return wanted.flatMap(piecesOf).filter((piece) => !held.some((rule) => covers(rule, piece)));
}

function piecesOf({ apiGroups, nonResourceURLs, resourceNames, resources, verbs }: PolicyRuleLike): PolicyRuleLike[] {
  const pieces: PolicyRuleLike[] = [];
  for (const group of apiGroups ?? []) {
    for (const resource of resources ?? []) {
      for (const verb of verbs) {
        const piece = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if (resourceNames?.length) for (const name of resourceNames) pieces.push({ ...piece, resourceNames: [name] });
        else pieces.push(piece);
      }
    }
  }
  for (const url of nonResourceURLs ?? [])
    for (const verb of verbs) pieces.push({ nonResourceURLs: [url], verbs: [verb] });
  return pieces;
}

const all = (held: readonly string[] | undefined, wanted: readonly string[] | undefined) =>
  held?.includes('*') || (wanted ?? []).every((one) => held?.includes(one));

function covers(rule: PolicyRuleLike, piece: PolicyRuleLike): boolean {
  if (!all(rule.verbs, piece.verbs)) return false;
  if (piece.nonResourceURLs) {
    return piece.nonResourceURLs.every((path) =>
      rule.nonResourceURLs?.some(
        (url) => url === path || url === '*' || (url.endsWith('*') && path.startsWith(url.slice(0, -1))),
      ),
    );
  }
  const resourcesCovered =
    all(rule.resources, piece.resources) ||
    piece.resources?.every(
      (one) => one.includes('/') && rule.resources?.includes(`*/${one.slice(one.indexOf('/') + 1)}`),
    );
  return (
    all(rule.apiGroups, piece.apiGroups) === true &&
    resourcesCovered === true &&
    (!rule.resourceNames?.length ||
      (!!piece.resourceNames?.length && all(rule.resourceNames, piece.resourceNames) === true))
  );
}

/** Rules that differ by their verbs only, put together; others first. Follows CompactRules of pkg/registry/rbac/validation. */
export function compactRules(rules: readonly PolicyRuleLike[]): PolicyRuleLike[] {
  const others: PolicyRuleLike[] = [];
  const simple = new Map<string, PolicyRuleLike>();
  for (const rule of rules) {
    const { apiGroups, resources, resourceNames = [], nonResourceURLs, verbs } = rule;
    if (apiGroups?.length !== 1 || resources?.length !== 1 || resourceNames.length > 1 || nonResourceURLs?.length) {
      others.push(rule);
      continue;
    }
    const key = JSON.stringify([apiGroups, resources, resourceNames]);
    const known = simple.get(key);
    simple.set(key, known ? { ...known, verbs: [...known.verbs, ...verbs] } : rule);
  }
  return [...others, ...simple.values()];
}

/** As escalation errors show a rule. Follows CompactString of pkg/apis/rbac, v1.33. */
export function ruleText({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRuleLike): string {
  const parts: [string, readonly string[] | undefined][] = [
    ['APIGroups', apiGroups],
    ['Resources', resources],
    ['NonResourceURLs', nonResourceURLs],
    ['ResourceNames', resourceNames],
    ['Verbs', verbs],
  ];
  const shown = parts
    .filter(([, list]) => list?.length)
    .map(([name, list]) => `${name}:[${list?.map(goQuote).join(' ')}]`);
  return `{${shown.join(', ')}}`;
}
