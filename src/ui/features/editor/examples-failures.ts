import type { Example } from './example.ts';

/** What goes wrong, to be looked into. */
export const FAILURE_EXAMPLES: readonly Example[] = [
  {
    file: 'crash.yaml',
    title: { key: 'example.crash' },
    about: 'about.crash',
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
    file: 'wrong-image.yaml',
    title: { key: 'example.image' },
    about: 'about.image',
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
    file: 'unschedulable.yaml',
    title: { key: 'example.unschedulable' },
    about: 'about.unschedulable',
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
    file: 'liveness.yaml',
    title: { key: 'example.liveness' },
    about: 'about.liveness',
    text: `# It stops answering after 20 s, and the liveness
# probe has it started again.
apiVersion: v1
kind: Pod
metadata:
  name: tired
spec:
  containers:
  - name: main
    image: busybox
    command: ["sh", "-c", "touch /tmp/healthy; sleep 20; rm /tmp/healthy; sleep 600"]
    livenessProbe:
      exec:
        command: ["cat", "/tmp/healthy"]
      periodSeconds: 3
`,
  },
  {
    file: 'no-endpoints.yaml',
    title: { key: 'example.noEndpoints' },
    about: 'about.noEndpoints',
    text: `# Nobody has the label that it selects: see Why?
apiVersion: v1
kind: Service
metadata:
  name: lonely
spec:
  selector:
    app: nobody
  ports:
  - port: 80
`,
  },
];
