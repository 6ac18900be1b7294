import type { PlainKey } from '../../i18n/translate.ts';
import type { Example } from './example.ts';
import { APPLICATION_EXAMPLES } from './examples-applications.ts';
import { CONFIG_EXAMPLES } from './examples-config.ts';
import { FAILURE_EXAMPLES } from './examples-failures.ts';
import { POD_EXAMPLES } from './examples-pods.ts';
import { SERVICE_EXAMPLES } from './examples-services.ts';
import { WORKLOAD_EXAMPLES } from './examples-workloads.ts';

/** The Pod of the introduction that this playground implements, to the letter. */
export const NGINX_POD = `apiVersion: v1
kind: Pod
metadata:  
  name: nginx  
  labels:    
    app: nginx
spec:  
  containers:  
  - name: nginx    
    image: nginx    
    ports:    
    - containerPort: 80
`;

/** All examples, in the order and the groups in which they are offered. */
export const EXAMPLE_GROUPS: readonly { readonly title: PlainKey; readonly examples: readonly Example[] }[] = [
  {
    title: 'examples.pods',
    examples: [
      { file: 'nginx-pod.yaml', title: { key: 'example.nginx' }, about: 'about.nginx', text: NGINX_POD },
      ...POD_EXAMPLES,
    ],
  },
  { title: 'examples.workloads', examples: WORKLOAD_EXAMPLES },
  { title: 'examples.services', examples: SERVICE_EXAMPLES },
  { title: 'examples.applications', examples: APPLICATION_EXAMPLES },
  { title: 'examples.failures', examples: FAILURE_EXAMPLES },
  { title: 'examples.config', examples: CONFIG_EXAMPLES },
];
