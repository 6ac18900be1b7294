import type { Example } from './example.ts';

/** What Pods are configured with, and where they live. */
export const CONFIG_EXAMPLES: readonly Example[] = [
  {
    file: 'config.yaml',
    title: { key: 'example.config' },
    about: 'about.config',
    text: `# Settings from a ConfigMap and a Secret
# become environment variables:
# see the Pod's log.
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  GREETING: hello
---
apiVersion: v1
kind: Secret
metadata:
  name: keys
stringData:
  TOKEN: s3cr3t
---
apiVersion: v1
kind: Pod
metadata:
  name: printer
spec:
  restartPolicy: Never
  containers:
  - name: printer
    image: busybox
    command: ["sh", "-c", "echo $GREETING, $POD_NAME on $NODE_NAME; echo the token is $TOKEN"]
    envFrom:
    - configMapRef:
        name: settings
    - secretRef:
        name: keys
    env:
    - name: POD_NAME
      valueFrom:
        fieldRef:
          fieldPath: metadata.name
    - name: NODE_NAME
      valueFrom:
        fieldRef:
          fieldPath: spec.nodeName
`,
  },
  {
    file: 'configmap.yaml',
    title: 'ConfigMap',
    about: 'about.configmap',
    text: `# Files of a Pod come from a ConfigMap; change it
# and they change after a while.
apiVersion: v1
kind: ConfigMap
metadata:
  name: page
data:
  index.html: |
    <h1>Written in a ConfigMap</h1>
---
apiVersion: v1
kind: Pod
metadata:
  name: page
spec:
  volumes:
  - name: page
    configMap:
      name: page
  containers:
  - name: web
    image: nginx
    volumeMounts:
    - name: page
      mountPath: /usr/share/nginx/html
`,
  },
  {
    file: 'secret.yaml',
    title: 'Secret',
    about: 'about.secret',
    text: `# stringData is what people write; what is kept
# is base64: kubectl get secret database -o yaml
apiVersion: v1
kind: Secret
metadata:
  name: database
type: Opaque
stringData:
  user: app
  password: s3cr3t
`,
  },
  {
    file: 'serviceaccount.yaml',
    title: 'ServiceAccount',
    about: 'about.serviceaccount',
    text: `# Whom a Pod is when it talks to the API server;
# its token is in the file that the log shows.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: robot
---
apiVersion: v1
kind: Pod
metadata:
  name: robot
spec:
  serviceAccountName: robot
  restartPolicy: Never
  containers:
  - name: robot
    image: busybox
    command: ["sh", "-c", "ls /var/run/secrets/kubernetes.io/serviceaccount"]
`,
  },
  {
    file: 'namespace.yaml',
    title: 'Namespace',
    about: 'about.namespace',
    text: `# A room of its own for names. Deleting it
# deletes all that is in it.
apiVersion: v1
kind: Namespace
metadata:
  name: team
---
apiVersion: v1
kind: Pod
metadata:
  name: nginx
  namespace: team
spec:
  containers:
  - name: nginx
    image: nginx
`,
  },
];
