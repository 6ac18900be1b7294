import { type LabelSelectorTerms, labelSelectorTerms, matchesLabels } from '#apimachinery/selectors.ts';
import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '#api/generated/types.ts';

type Labels = Readonly<Record<string, string>>;

/** A term of Pod affinity or anti-affinity, parsed. Follows scheduler/framework/types.go (AffinityTerm), v1.33. */
export interface AffinityTerm {
  readonly namespaces: ReadonlySet<string>;
  /** Undefined selects no Pod. */
  readonly selector: LabelSelectorTerms | undefined;
  readonly topologyKey: string;
  /** Undefined selects no namespace beyond `namespaces`. */
  readonly namespaceSelector: LabelSelectorTerms | undefined;
  /** Zero for a term that is required. */
  readonly weight: number;
}

/** The Pod's terms; without any, one shared empty value. */
export interface PodAffinityTerms {
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferredAffinity: readonly AffinityTerm[];
  readonly preferredAntiAffinity: readonly AffinityTerm[];
}

const NONE: PodAffinityTerms = {
  requiredAffinity: [],
  requiredAntiAffinity: [],
  preferredAffinity: [],
  preferredAntiAffinity: [],
};

export function affinityTermsOf(pod: Pod): PodAffinityTerms {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  if (!podAffinity && !podAntiAffinity) return NONE;
  const required = (terms: readonly PodAffinityTerm[] = []) => terms.map((term) => parseTerm(pod, term, 0));
  const preferred = (terms: readonly WeightedPodAffinityTerm[] = []) =>
    terms.map(({ podAffinityTerm, weight }) => parseTerm(pod, podAffinityTerm, weight));
  return {
    requiredAffinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAntiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  };
}

function parseTerm(pod: Pod, term: PodAffinityTerm, weight: number): AffinityTerm {
  const { namespaces = [], labelSelector, namespaceSelector, topologyKey } = term;
  const own = namespaces.length === 0 && !namespaceSelector;
  return {
    namespaces: new Set(own ? [pod.metadata.namespace ?? ''] : namespaces),
    selector: labelSelectorTerms(labelSelector),
    topologyKey,
    namespaceSelector: labelSelectorTerms(namespaceSelector),
    weight,
  };
}

/** Whether a term means a Pod, which is in a namespace with these labels. */
export function termMatches(term: AffinityTerm, { metadata }: Pod, namespaceLabels: Labels | undefined): boolean {
  const inNamespace =
    term.namespaces.has(metadata.namespace ?? '') ||
    (term.namespaceSelector !== undefined && matchesLabels(term.namespaceSelector, namespaceLabels));
  return inNamespace && term.selector !== undefined && matchesLabels(term.selector, metadata.labels);
}
