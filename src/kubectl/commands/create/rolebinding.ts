import type { JsonObject } from '#apimachinery/json.ts';
import type { Command, Invocation } from '../../command.ts';
import { createFlags, createObject, knownResource, nameArgument, newMetadata } from '../../creating.ts';
import type { Flag } from '../../flags.ts';

const GROUP = 'rbac.authorization.k8s.io';

const subjectFlags: readonly Flag[] = [
  { name: 'group', type: 'stringArray', usage: 'Groups that get the role; may be repeated.' },
  {
    name: 'serviceaccount',
    type: 'stringArray',
    usage: 'Service accounts that get the role, as <namespace>:<name>; may be repeated.',
  },
  { name: 'user', type: 'stringArray', usage: 'Users that get the role; may be repeated.' },
];

export const createRoleBinding: Command = {
  name: 'rolebinding',
  short: 'Create a role binding for a particular role or cluster role',
  examples: `
# Two users and a group get a cluster role in the namespace
kubectl create rolebinding admins --clusterrole=admin --user=jane --user=joe --group=ops

# A service account gets a role
kubectl create rolebinding robots --role=reader --serviceaccount=default:robot`,
  usage:
    'rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
  flags: [
    ...createFlags,
    { name: 'clusterrole', type: 'string', usage: 'The cluster role to give.' },
    { name: 'role', type: 'string', usage: 'The role to give.' },
    ...subjectFlags,
  ],
  completion: 'none',
  run: async (invocation) => {
    const { flags } = invocation;
    const name = nameArgument(invocation);
    const [role, clusterRole] = [flags.string('role'), flags.string('clusterrole')];
    if (name === '') throw new Error('name must be specified');
    if ((role === '') === (clusterRole === '')) throw new Error('exactly one of clusterrole or role must be specified');
    await createObject(
      invocation,
      knownResource(GROUP, 'v1', 'rolebindings', 'RoleBinding'),
      {
        kind: 'RoleBinding',
        apiVersion: `${GROUP}/v1`,
        metadata: await newMetadata(invocation, name),
        ...subjectsOf(invocation),
        roleRef: { apiGroup: GROUP, kind: role === '' ? 'ClusterRole' : 'Role', name: role || clusterRole },
      },
      'failed to create rolebinding: ',
    );
  },
};

export const createClusterRoleBinding: Command = {
  name: 'clusterrolebinding',
  short: 'Create a cluster role binding for a particular cluster role',
  examples: `
# Two users and a group get a cluster role everywhere
kubectl create clusterrolebinding admins --clusterrole=cluster-admin --user=jane --user=joe --group=ops`,
  usage:
    'clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
  flags: [
    ...createFlags,
    { name: 'clusterrole', type: 'string', required: true, usage: 'The cluster role to give.' },
    ...subjectFlags,
  ],
  completion: 'none',
  run: async (invocation) => {
    const name = nameArgument(invocation);
    await createObject(
      invocation,
      knownResource(GROUP, 'v1', 'clusterrolebindings', 'ClusterRoleBinding', false),
      {
        kind: 'ClusterRoleBinding',
        apiVersion: `${GROUP}/v1`,
        metadata: { name, creationTimestamp: null },
        ...subjectsOf(invocation),
        roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: invocation.flags.string('clusterrole') },
      },
      'failed to create clusterrolebinding: ',
    );
  },
};

function subjectsOf({ flags }: Invocation): JsonObject {
  const subjects: JsonObject[] = [
    ...flags.strings('user').map((name) => ({ kind: 'User', apiGroup: GROUP, name })),
    ...flags.strings('group').map((name) => ({ kind: 'Group', apiGroup: GROUP, name })),
    ...flags.strings('serviceaccount').map((account) => {
      const [namespace = '', name = '', ...rest] = account.split(':');
      if (namespace === '' || name === '' || rest.length > 0)
        throw new Error('serviceaccount must be <namespace>:<name>');
      return { kind: 'ServiceAccount', name, namespace };
    }),
  ];
  return subjects.length > 0 ? { subjects } : {};
}
