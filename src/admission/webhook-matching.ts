import { namespaces } from '#api/core/v1/namespace.ts';
import type { LabelSelector, Namespace } from '#api/generated/types.ts';
import { labelSelectorTerms, matchesLabels } from '#apimachinery/selectors.ts';
import { notFound } from '#apimachinery/status-error.ts';
import type { AdmissionAttributes, RequestContext } from '#apiserver/contract.ts';

// Which requests a webhook or a policy is about. Follows apiserver/pkg/admission/plugin/webhook/predicates, v1.33.

/** What a rule of a webhook or of a policy names. */
export interface RequestRule {
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly operations?: readonly string[];
  readonly resources?: readonly string[];
  readonly scope?: string;
}

/** Whether the request is what the rule names. */
export function matchesRule(rule: RequestRule, attributes: AdmissionAttributes): boolean {
  const { resource, subresource = '', operation, namespace } = attributes;
  const { apiGroups = [], apiVersions = [], operations = [], resources = [], scope = '*' } = rule;
  const has = (items: readonly string[], item: string) => items.includes('*') || items.includes(item);
  const isNamespaced = namespace !== undefined && !(resource.group === '' && resource.plural === 'namespaces');
  if (scope === 'Namespaced' ? !isNamespaced : scope === 'Cluster' && isNamespaced) return false;
  if (!has(operations, operation) || !has(apiGroups, resource.group) || !has(apiVersions, resource.version))
    return false;
  return resources.some((text) => {
    const slash = text.indexOf('/');
    const plural = slash < 0 ? text : text.slice(0, slash);
    const sub = slash < 0 ? '' : text.slice(slash + 1);
    return (plural === '*' || plural === resource.plural) && (sub === '*' || sub === subresource);
  });
}

/** Webhooks and policies are not asked about themselves, so that a bad one can be taken away. */
export const isExempt = ({ resource }: AdmissionAttributes): boolean =>
  resource.group === 'admissionregistration.k8s.io';

/** The namespace that the request is in; undefined for what is in none. Throws 404. */
export function namespaceOf(attributes: AdmissionAttributes, context: RequestContext): Namespace | undefined {
  const { namespace, resource, subresource, operation, object } = attributes;
  if (resource.group === '' && resource.plural === 'namespaces') {
    if (subresource === undefined && (operation === 'CREATE' || operation === 'UPDATE')) return object as Namespace;
  }
  if (!namespace) return undefined;
  const found = context.read(namespaces, undefined, namespace);
  if (!found) throw notFound(namespaces, namespace);
  return found;
}

const isEverything = (selector: LabelSelector | undefined): boolean =>
  !selector || !(selector.matchExpressions?.length || Object.keys(selector.matchLabels ?? {}).length);

/** Whether the request's namespace has labels that the selector wants. What is in no namespace always matches. */
export function matchesNamespace(
  selector: LabelSelector | undefined,
  attributes: AdmissionAttributes,
  context: RequestContext,
): boolean {
  if (isEverything(selector)) return true;
  const namespace = namespaceOf(attributes, context);
  return !namespace || selects(selector, namespace.metadata.labels);
}

/** Whether the object has, or had, labels that the selector wants. */
export function matchesObject(
  selector: LabelSelector | undefined,
  { object, oldObject }: AdmissionAttributes,
): boolean {
  if (isEverything(selector)) return true;
  return [object, oldObject].some((one) => one && selects(selector, one.metadata?.labels));
}

function selects(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>> = {}): boolean {
  const terms = labelSelectorTerms(selector);
  return terms !== undefined && matchesLabels(terms, labels);
}
