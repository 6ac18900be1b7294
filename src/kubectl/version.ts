/** The version of Kubernetes that this kubectl follows. */
export const VERSION = 'v1.33.0';
