import { ingresses } from '#api/networking/v1/ingress.ts';
import type { Ingress } from '#api/generated/types.ts';
import { isDefaultIngressClass, ingressClasses } from '#api/networking/v1/ingress-class.ts';
import type { AdmissionPlugin } from '#apiserver/contract.ts';
import { newestOf } from './default-class.ts';

const INGRESS_CLASS = 'kubernetes.io/ingress.class';

/** Gives Ingresses that name no class the default one. Follows plugin/pkg/admission/network/defaultingressclass, v1.33. */
export const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  resources: [ingresses],
  admit({ subresource, operation, object }, context) {
    if (subresource || operation !== 'CREATE') return object;
    const ingress = object as Ingress;
    if (ingress.spec?.ingressClassName !== undefined) return ingress;
    if (ingress.metadata.annotations?.[INGRESS_CLASS] !== undefined) return ingress;
    const { name } = newestOf(context.readAll(ingressClasses).filter(isDefaultIngressClass))?.metadata ?? {};
    return name ? ({ ...ingress, spec: { ...ingress.spec, ingressClassName: name } } as Ingress) : ingress;
  },
};
