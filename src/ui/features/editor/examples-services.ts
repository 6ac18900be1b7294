import type { Example } from './example.ts';

/** Services of every type, and what they lead to. */
export const SERVICE_EXAMPLES: readonly Example[] = [
  {
    file: 'service.yaml',
    title: 'Service: ClusterIP',
    about: 'about.clusterip',
    text: `# One address and one name for the Pods app=web
# (the Deployment's example): curl web
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
  - port: 80
    targetPort: 80
`,
  },
  {
    file: 'service-nodeport.yaml',
    title: 'Service: NodePort',
    about: 'about.nodeport',
    text: `# The same, and a port on every Node:
# curl node-1:30080
apiVersion: v1
kind: Service
metadata:
  name: web-node
spec:
  type: NodePort
  selector:
    app: web
  ports:
  - port: 80
    nodePort: 30080
`,
  },
  {
    file: 'service-headless.yaml',
    title: { key: 'example.headless' },
    about: 'about.headless',
    text: `# No address of its own: its name leads to the
# Pods themselves. nslookup web-pods
apiVersion: v1
kind: Service
metadata:
  name: web-pods
spec:
  clusterIP: None
  selector:
    app: web
  ports:
  - port: 80
`,
  },
  {
    file: 'service-externalname.yaml',
    title: 'Service: ExternalName',
    about: 'about.externalname',
    text: `# Another name for a name: nslookup alias
apiVersion: v1
kind: Service
metadata:
  name: alias
spec:
  type: ExternalName
  externalName: web.default.svc.cluster.local
`,
  },
  {
    file: 'service-loadbalancer.yaml',
    title: 'Service: LoadBalancer',
    about: 'about.loadbalancer',
    text: `# The cloud gives it an address of its own.
# See EXTERNAL-IP of kubectl get service.
apiVersion: v1
kind: Service
metadata:
  name: web-public
spec:
  type: LoadBalancer
  selector:
    app: web
  ports:
  - port: 80
`,
  },
  {
    file: 'service-affinity.yaml',
    title: { key: 'example.affinity' },
    about: 'about.affinity',
    text: `# A client stays with the Pod that it got first.
apiVersion: v1
kind: Service
metadata:
  name: web-sticky
spec:
  selector:
    app: web
  sessionAffinity: ClientIP
  sessionAffinityConfig:
    clientIP:
      timeoutSeconds: 600
  ports:
  - port: 80
`,
  },
  {
    file: 'endpoints.yaml',
    title: 'Endpoints',
    about: 'about.endpoints',
    text: `# A Service without a selector: somebody writes by
# hand where it leads. Here, to something outside.
apiVersion: v1
kind: Service
metadata:
  name: outside
spec:
  ports:
  - port: 80
---
apiVersion: v1
kind: Endpoints
metadata:
  name: outside
subsets:
- addresses:
  - ip: 192.0.2.10
  ports:
  - port: 80
`,
  },
  {
    file: 'endpointslice.yaml',
    title: 'EndpointSlice',
    about: 'about.endpointslice',
    text: `# The same by an EndpointSlice: what the Service's
# name says joins them.
apiVersion: v1
kind: Service
metadata:
  name: outside-2
spec:
  ports:
  - port: 80
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: outside-2-1
  labels:
    kubernetes.io/service-name: outside-2
addressType: IPv4
ports:
- port: 80
endpoints:
- addresses:
  - 192.0.2.20
  conditions:
    ready: true
`,
  },
];
