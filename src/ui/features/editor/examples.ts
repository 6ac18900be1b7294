import type { PlainKey } from '../../i18n/translate.ts';

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

interface Example {
  readonly file: string;
  readonly title: PlainKey;
  readonly text: string;
}

export const EXAMPLES: readonly Example[] = [
  { file: 'nginx-pod.yaml', title: 'example.nginx', text: NGINX_POD },
  {
    file: 'two-containers.yaml',
    title: 'example.shared',
    text: `# Two containers of a Pod share its network
# and, here, a volume: the second writes
# the page that the first serves.
apiVersion: v1
kind: Pod
metadata:
  name: two-containers
spec:
  volumes:
  - name: page
    emptyDir: {}
  containers:
  - name: web
    image: nginx
    ports:
    - containerPort: 80
    volumeMounts:
    - name: page
      mountPath: /usr/share/nginx/html
  - name: writer
    image: busybox
    command: ["sh", "-c"]
    args:
    - while true; do date > /page/index.html; sleep 5; done
    volumeMounts:
    - name: page
      mountPath: /page
`,
  },
  {
    file: 'config.yaml',
    title: 'example.config',
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
    file: 'init-and-probes.yaml',
    title: 'example.probes',
    text: `# An init container runs first; then the
# readiness probe decides when the Pod is Ready.
apiVersion: v1
kind: Pod
metadata:
  name: careful
spec:
  initContainers:
  - name: prepare
    image: busybox
    command: ["sh", "-c", "echo preparing; sleep 3"]
  containers:
  - name: web
    image: nginx
    ports:
    - containerPort: 80
    readinessProbe:
      httpGet:
        path: /
        port: 80
      initialDelaySeconds: 3
      periodSeconds: 2
    livenessProbe:
      tcpSocket:
        port: 80
      periodSeconds: 10
`,
  },
  {
    file: 'crash.yaml',
    title: 'example.crash',
    text: `# A container that fails is started again,
# later each time: CrashLoopBackOff.
apiVersion: v1
kind: Pod
metadata:
  name: crash
spec:
  containers:
  - name: crash
    image: busybox
    command: ["sh", "-c", "echo about to fail; sleep 2; exit 1"]
`,
  },
  {
    file: 'unschedulable.yaml',
    title: 'example.unschedulable',
    text: `# No Node has this label: the Pod stays
# Pending, and the scheduler says why.
# Then try in the terminal:
# kubectl label node node-1 disktype=ssd
apiVersion: v1
kind: Pod
metadata:
  name: needs-ssd
spec:
  nodeSelector:
    disktype: ssd
  containers:
  - name: web
    image: nginx
`,
  },
  {
    file: 'wrong-image.yaml',
    title: 'example.image',
    text: `# A typing error in the image's name:
# ErrImagePull, then ImagePullBackOff.
apiVersion: v1
kind: Pod
metadata:
  name: wrong-image
spec:
  containers:
  - name: web
    image: ngnix
`,
  },
  {
    file: 'resources.yaml',
    title: 'example.resources',
    text: `# The scheduler counts with requests: on a
# Node of 4 CPUs one of these fits, not two.
apiVersion: v1
kind: Pod
metadata:
  name: greedy-1
spec:
  containers:
  - name: web
    image: nginx
    resources:
      requests:
        cpu: 2500m
        memory: 1Gi
      limits:
        memory: 2Gi
---
apiVersion: v1
kind: Pod
metadata:
  name: greedy-2
spec:
  containers:
  - name: web
    image: nginx
    resources:
      requests:
        cpu: 2500m
        memory: 1Gi
      limits:
        memory: 2Gi
`,
  },
];
