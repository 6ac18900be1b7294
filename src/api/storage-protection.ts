/** Keeps a claim until no Pod that runs uses it. */
export const PVC_PROTECTION = 'kubernetes.io/pvc-protection';
/** Keeps a volume while it is bound. */
export const PV_PROTECTION = 'kubernetes.io/pv-protection';
