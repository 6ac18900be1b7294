import { canonicalQuantity, quantityMilliValue } from '#apimachinery/quantity.ts';

/** Amounts by the name of their resource, as texts that were checked when they were decoded. */
export type ResourceList = Readonly<Record<string, string>>;

/**
 * The list as upstream would write it: rounded up to thousandths. Itself when it is that already.
 * Follows SetDefaults_ResourceList of pkg/apis/core/v1, v1.33.
 */
export function canonicalResources(list: ResourceList | undefined): ResourceList | undefined {
  if (!list) return list;
  for (const name in list) {
    if (canonical(list[name] as string) !== list[name]) {
      return Object.fromEntries(Object.entries(list).map(([key, text]) => [key, canonical(text)]));
    }
  }
  return list;
}

function canonical(text: string | number): string {
  const key = String(text);
  return PLAIN.test(key) ? key : roundedUp(key);
}

/** Most quantities of real manifests, which are canonical as they stand. */
const PLAIN = /^(?:0|[1-9]\d{0,2}(?:m|Ki|Mi|Gi)?)$/;

function roundedUp(text: string): string {
  const canonicalText = canonicalQuantity(text);
  return /[nu]$|\.\d{4}/.test(canonicalText) ? canonicalQuantity(`${quantityMilliValue(text)}m`) : canonicalText;
}
