// The facts of plugin/pkg/auth/authorizer/rbac/bootstrappolicy, and of what kubeadm adds to them, v1.33, for
// `bootstrap-policy.ts`, which says how they are spelled.

export const CLUSTER_ROLES = `
admin <admin
cluster-admin
 * * *
 * ~ *
edit >admin <edit
:aggregate-to-admin >admin
 c authorization. localsubjectaccessreviews
 cdxglpuw rbac.authorization. rolebindings,roles
:aggregate-to-edit >edit
 glw - pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy
 +impersonate - serviceaccounts
 cdxpu - pods,pods/attach,pods/exec,pods/portforward,pods/proxy
 c - pods/eviction
 cdxpu - configmaps,endpoints,events,persistentvolumeclaims,replicationcontrollers,replicationcontrollers/scale,secrets,serviceaccounts,services,services/proxy
 c - serviceaccounts/token
 cdxpu apps daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,replicasets/scale,statefulsets,statefulsets/scale
 cdxpu autoscaling horizontalpodautoscalers
 cdxpu batch cronjobs,jobs
 cdxpu extensions daemonsets,deployments,deployments/rollback,deployments/scale,ingresses,networkpolicies,replicasets,replicasets/scale,replicationcontrollers/scale
 cdxpu policy poddisruptionbudgets
 cdxpu networking. ingresses,networkpolicies
 cdxglpuw coordination. leases
:aggregate-to-view >view
 glw - configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status
 glw - bindings,events,limitranges,namespaces/status,pods/log,pods/status,replicationcontrollers/status,resourcequotas,resourcequotas/status
 glw - namespaces
 glw discovery. endpointslices
 glw apps controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,replicasets,replicasets/scale,replicasets/status,statefulsets,statefulsets/scale,statefulsets/status
 glw autoscaling horizontalpodautoscalers,horizontalpodautoscalers/status
 glw batch cronjobs,cronjobs/status,jobs,jobs/status
 glw extensions daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,ingresses,ingresses/status,networkpolicies,replicasets,replicasets/scale,replicasets/status,replicationcontrollers/scale
 glw policy poddisruptionbudgets,poddisruptionbudgets/status
 glw networking. ingresses,ingresses/status,networkpolicies
:auth-delegator
 c authentication. tokenreviews
 c authorization. subjectaccessreviews
:basic-user
 c authorization. selfsubjectaccessreviews,selfsubjectrulesreviews
 c authentication. selfsubjectreviews
:certificates.k8s.io:certificatesigningrequests:nodeclient
 c certificates. certificatesigningrequests/nodeclient
:certificates.k8s.io:certificatesigningrequests:selfnodeclient
 c certificates. certificatesigningrequests/selfnodeclient
:certificates.k8s.io:kube-apiserver-client-approver
 +approve certificates. signers kubernetes.io/kube-apiserver-client
:certificates.k8s.io:kube-apiserver-client-kubelet-approver
 +approve certificates. signers kubernetes.io/kube-apiserver-client-kubelet
:certificates.k8s.io:kubelet-serving-approver
 +approve certificates. signers kubernetes.io/kubelet-serving
:certificates.k8s.io:legacy-unknown-approver
 +approve certificates. signers kubernetes.io/legacy-unknown
:discovery
 g ~ /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/
:heapster
 glw - events,namespaces,nodes,pods
 glw extensions deployments
:kube-aggregator
 glw - endpoints,services
:kube-controller-manager
 cpu -,events. events
 c coordination. leases
 gu coordination. leases kube-controller-manager
 c - secrets,serviceaccounts
 d - secrets
 g - configmaps,namespaces,secrets,serviceaccounts
 u - secrets,serviceaccounts
 c authentication. tokenreviews
 c authorization. subjectaccessreviews
 lw * *
 c - serviceaccounts/token
:kube-dns
 lw - endpoints,services
:kube-scheduler
 cpu -,events. events
 c coordination. leases
 gluw coordination. leases kube-scheduler
 cdxglpuw coordination. leasecandidates
 glw - nodes
 dglw - pods
 c - bindings,pods/binding
 pu - pods/status
 glw - replicationcontrollers,services
 glw apps,extensions replicasets
 glw apps statefulsets
 glw policy poddisruptionbudgets
 glw - persistentvolumeclaims,persistentvolumes
 c authentication. tokenreviews
 c authorization. subjectaccessreviews
 glw storage. csinodes
 glw storage. volumeattachments
 glw - namespaces
 glw storage. csidrivers
 glw storage. csistoragecapacities
:kubelet-api-admin
 glw - nodes
 +proxy - nodes
 * - nodes/log,nodes/metrics,nodes/proxy,nodes/stats
 * - nodes/configz,nodes/healthz,nodes/pods
:monitoring
 g ~ /healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*
:node
 c authentication. tokenreviews
 c authorization. localsubjectaccessreviews,subjectaccessreviews
 glw - services
 cglw - nodes
 pu - nodes/status
 pu - nodes
 cpu - events
 glw - pods
 cd - pods
 pu - pods/status
 c - pods/eviction
 glw - configmaps,secrets
 g - persistentvolumeclaims,persistentvolumes
 g - endpoints
 cglw certificates. certificatesigningrequests
 cdgpu coordination. leases
 g storage. volumeattachments
 c - serviceaccounts/token
 gpu - persistentvolumeclaims/status
 glw storage. csidrivers
 cdgpu storage. csinodes
 glw node. runtimeclasses
:node-bootstrapper
 cglw certificates. certificatesigningrequests
:node-problem-detector
 g - nodes
 p - nodes/status
 cpu -,events. events
:node-proxier
 lw - endpoints,services
 glw - nodes
 cpu -,events. events
 lw networking. servicecidrs
 lw discovery. endpointslices
:persistent-volume-provisioner
 cdglw - persistentvolumes
 gluw - persistentvolumeclaims
 glw storage. storageclasses
 w - events
 cpu -,events. events
:public-info-viewer
 g ~ /healthz,/livez,/readyz,/version,/version/
:service-account-issuer-discovery
 g ~ /.well-known/openid-configuration,/.well-known/openid-configuration/,/openid/v1/jwks,/openid/v1/jwks/
:volume-scheduler
 glpuw - persistentvolumes
 glw storage. storageclasses
 glpuw - persistentvolumeclaims
view >edit <view
@attachdetach-controller
 lw - persistentvolumeclaims,persistentvolumes
 glw - nodes
 pu - nodes/status
 lw - pods
 cpu -,events. events
 cdglw storage. volumeattachments
 glw storage. csidrivers
 glw storage. csinodes
@certificate-controller
 dglw certificates. certificatesigningrequests
 u certificates. certificatesigningrequests/approval,certificatesigningrequests/status
 +approve certificates. signers kubernetes.io/kube-apiserver-client-kubelet
 +sign certificates. signers kubernetes.io/kube-apiserver-client,kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,kubernetes.io/legacy-unknown
 c authorization. subjectaccessreviews
 cpu -,events. events
@clusterrole-aggregation-controller
 glpuw+escalate rbac.authorization. clusterroles
@cronjob-controller
 gluw batch cronjobs
 cdglpuw batch jobs
 u batch cronjobs/status
 u batch cronjobs/finalizers
 dlw - pods
 cpu -,events. events
@daemon-set-controller
 glw apps,extensions daemonsets
 u apps,extensions daemonsets/status
 u apps,extensions daemonsets/finalizers
 lw - nodes
 cdlpw - pods
 c - pods/binding
 cdglpuw apps controllerrevisions
 cpu -,events. events
@deployment-controller
 gluw apps,extensions deployments
 u apps,extensions deployments/status
 u apps,extensions deployments/finalizers
 cdglpuw apps,extensions replicasets
 gluw - pods
 cpu -,events. events
@disruption-controller
 glw apps,extensions deployments
 glw apps,extensions replicasets
 glw - replicationcontrollers
 glw policy poddisruptionbudgets
 glw apps statefulsets
 u policy poddisruptionbudgets/status
 pu - pods/status
 g * */scale
 cpu -,events. events
@endpoint-controller
 glw - pods,services
 cdgluw - endpoints
 c - endpoints/restricted
 cpu -,events. events
@endpointslice-controller
 glw - nodes,pods,services
 u - services/finalizers
 cdgluw discovery. endpointslices
 c discovery. endpointslices/restricted
 cpu -,events. events
@endpointslicemirroring-controller
 glw - endpoints,services
 u - services/finalizers
 u - endpoints/finalizers
 cdgluw discovery. endpointslices
 c discovery. endpointslices/restricted
 cpu -,events. events
@ephemeral-volume-controller
 glw - pods
 u - pods/finalizers
 cglw - persistentvolumeclaims
 cpu -,events. events
@expand-controller
 glpuw - persistentvolumes
 pu - persistentvolumeclaims/status
 glw - persistentvolumeclaims
 cpu -,events. events
 g - services
@generic-garbage-collector
 dglpuw * *
 cpu -,events. events
@horizontal-pod-autoscaler
 glw autoscaling horizontalpodautoscalers
 u autoscaling horizontalpodautoscalers/status
 gu * */scale
 lw - pods
 lw metrics. pods
 glw custom.metrics. *
 glw external.metrics. *
 cpu -,events. events
@job-controller
 glpuw batch jobs
 u batch jobs/status
 u batch jobs/finalizers
 cdlpw - pods
 cpu -,events. events
@legacy-service-account-token-cleaner
 g - configmaps kube-apiserver-legacy-service-account-token-tracking
 dp - secrets
@namespace-controller
 dglw - namespaces
 u - namespaces/finalize,namespaces/status
 dxglw * *
@node-controller
 dglpuw - nodes
 pu - nodes/status
 pu - pods/status
 dglw - pods
 cpu -,events. events
@persistent-volume-binder
 cdgluw - persistentvolumes
 u - persistentvolumes/status
 gluw - persistentvolumeclaims
 u - persistentvolumeclaims/status
 cdglw - pods
 glw storage. storageclasses
 lw - nodes
 cpu -,events. events
 w - events
 g - services
@pod-garbage-collector
 dlw - pods
 glw - nodes
 p - pods/status
@pv-protection-controller
 gluw - persistentvolumes
 cpu -,events. events
@pvc-protection-controller
 gluw - persistentvolumeclaims
 glw - pods
 cpu -,events. events
@replicaset-controller
 gluw apps,extensions replicasets
 u apps,extensions replicasets/status
 u apps,extensions replicasets/finalizers
 cdlpw - pods
 cpu -,events. events
@replication-controller
 gluw - replicationcontrollers
 u - replicationcontrollers/status
 u - replicationcontrollers/finalizers
 cdlpw - pods
 cpu -,events. events
@resourcequota-controller
 lw * *
 u - resourcequotas/status
 cpu -,events. events
@root-ca-cert-publisher
 cu - configmaps
 cpu -,events. events
@route-controller
 lw - nodes
 p - nodes/status
 cpu -,events. events
@selinux-warning-controller
 cpu -,events. events
 glw - persistentvolumes
 glw - persistentvolumeclaims
 glw - pods
 glw storage. csidrivers
@service-account-controller
 c - serviceaccounts
 cpu -,events. events
@service-cidrs-controller
 glpuw networking. servicecidrs
 pu networking. servicecidrs/finalizers
 pu networking. servicecidrs/status
 glw networking. ipaddresses
 cpu -,events. events
@service-controller
 glw - services
 pu - services/status
 lw - nodes
 cpu -,events. events
@statefulset-controller
 lw - pods
 glw apps statefulsets
 u apps statefulsets/status
 u apps statefulsets/finalizers
 cdgpu - pods
 cdglpuw apps controllerrevisions
 cglw - persistentvolumeclaims
 cpu -,events. events
 du - persistentvolumeclaims
 u - pods/finalizers
@ttl-after-finished-controller
 dglw batch jobs
 cpu -,events. events
@ttl-controller
 lpuw - nodes
 cpu -,events. events
@validatingadmissionpolicy-status-controller
 glw admissionregistration. validatingadmissionpolicies
 gpu admissionregistration. validatingadmissionpolicies/status
 cpu -,events. events
`;

export const ROLES = `
kube-public @bootstrap-signer
 glw - configmaps
 u - configmaps cluster-info
 cpu -,events. events
kube-system extension-apiserver-authentication-reader
 glw - configmaps extension-apiserver-authentication
kube-system ::leader-locking-kube-controller-manager
 w - configmaps
 gu - configmaps kube-controller-manager
 cgluw coordination. leases
 cgluw coordination. leasecandidates
kube-system ::leader-locking-kube-scheduler
 w - configmaps
 gu - configmaps kube-scheduler
 cgluw coordination. leases
 cgluw coordination. leasecandidates
kube-system @bootstrap-signer
 glw - secrets
kube-system @cloud-provider
 cglw - configmaps
kube-system @token-cleaner
 dglw - secrets
 cpu -,events. events
`;

export const CLUSTER_ROLE_BINDINGS = `
cluster-admin g:masters
:basic-user g:authenticated
:discovery g:authenticated
:kube-controller-manager u:kube-controller-manager
:kube-dns skube-system/kube-dns
:kube-scheduler u:kube-scheduler
:monitoring g:monitoring
:node
:node-proxier u:kube-proxy
:public-info-viewer g:authenticated g:unauthenticated
:service-account-issuer-discovery g:serviceaccounts
:volume-scheduler u:kube-scheduler
`;

export const ROLE_BINDINGS = `
kube-public @bootstrap-signer skube-system/bootstrap-signer
kube-system ::extension-apiserver-authentication-reader=extension-apiserver-authentication-reader u:kube-controller-manager u:kube-scheduler
kube-system ::leader-locking-kube-controller-manager u:kube-controller-manager skube-system/kube-controller-manager skube-system/leader-election-controller
kube-system ::leader-locking-kube-scheduler u:kube-scheduler skube-system/kube-scheduler
kube-system @bootstrap-signer skube-system/bootstrap-signer
kube-system @cloud-provider skube-system/cloud-provider
kube-system @token-cleaner skube-system/token-cleaner
`;

export const KUBEADM_CLUSTER_ROLES = `
kubeadm:get-nodes
 g - nodes
:coredns
 lw - endpoints,services,pods,namespaces
 lw discovery. endpointslices
`;

export const KUBEADM_ROLES = `
kube-public kubeadm:bootstrap-signer-clusterinfo
 g - configmaps cluster-info
kube-system kube-proxy
 g - configmaps kube-proxy
kube-system kubeadm:kubelet-config
 g - configmaps kubelet-config
kube-system kubeadm:nodes-kubeadm-config
 g - configmaps kubeadm-config
`;

export const KUBEADM_CLUSTER_ROLE_BINDINGS = `
kubeadm:cluster-admins=cluster-admin gkubeadm:cluster-admins
kubeadm:get-nodes gsystem:bootstrappers:kubeadm:default-node-token
kubeadm:kubelet-bootstrap=:node-bootstrapper gsystem:bootstrappers:kubeadm:default-node-token
kubeadm:node-autoapprove-bootstrap=:certificates.k8s.io:certificatesigningrequests:nodeclient gsystem:bootstrappers:kubeadm:default-node-token
kubeadm:node-autoapprove-certificate-rotation=:certificates.k8s.io:certificatesigningrequests:selfnodeclient g:nodes
kubeadm:node-proxier=:node-proxier skube-system/kube-proxy
:coredns skube-system/coredns
`;

export const KUBEADM_ROLE_BINDINGS = `
kube-public kubeadm:bootstrap-signer-clusterinfo u:anonymous
kube-system kube-proxy gsystem:bootstrappers:kubeadm:default-node-token
kube-system kubeadm:kubelet-config g:nodes gsystem:bootstrappers:kubeadm:default-node-token
kube-system kubeadm:nodes-kubeadm-config gsystem:bootstrappers:kubeadm:default-node-token g:nodes
`;
