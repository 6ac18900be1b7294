import type { ResourceType } from '../cluster-store/kube-object.ts';
import type { ApiClient } from './api-client.ts';

interface ApiResourceList {
  readonly groupVersion: string;
  readonly resources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}
interface ApiGroupList {
  readonly groups: readonly { readonly preferredVersion: { readonly groupVersion: string } }[];
}

/** Every kind that the server lists and watches, the core group first. */
export async function listResources(api: ApiClient): Promise<readonly ResourceType[]> {
  const { groups } = await api.get<ApiGroupList>('/apis');
  const paths = ['/api/v1', ...groups.map((group) => `/apis/${group.preferredVersion.groupVersion}`)];
  const lists = await Promise.all(paths.map((path) => api.get<ApiResourceList>(path).catch(() => undefined)));
  return lists.flatMap((list) => {
    const [version = '', group = ''] = (list?.groupVersion ?? '').split('/').reverse();
    return (list?.resources ?? [])
      .filter(({ name, verbs }) => !name.includes('/') && verbs.includes('list') && verbs.includes('watch'))
      .map(({ name, kind, namespaced }) => ({ group, version, plural: name, kind, namespaced }));
  });
}

/** The kind with a plural name; of several groups the first. */
export async function findResource(api: ApiClient, plural: string): Promise<ResourceType | undefined> {
  return (await listResources(api)).find((resource) => resource.plural === plural);
}
