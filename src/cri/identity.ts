import { findGroup, findUser, groupsOf } from './applets/users.ts';
import type { ContainerConfig } from './contract.ts';
import { FileSystem, type FileUser } from './os/file-system.ts';
import type { Image } from './registry.ts';

/** As whom a container's processes run. */
export interface Identity {
  readonly identity: FileUser;
  readonly home: string;
}

const known = new WeakMap<Image, Map<string, Identity>>();

/**
 * The user, group and further groups of a container: what it asks for, completed by the image's user and by the image's
 * /etc/passwd and /etc/group (not by files mounted over them).
 */
export function identityOf(image: Image, wanted: ContainerConfig['user']): Identity {
  const key = wanted ? `${wanted.uid} ${wanted.gid} ${wanted.groups.join()}` : '';
  let ofImage = known.get(image);
  if (!ofImage) known.set(image, (ofImage = new Map()));
  let identity = ofImage.get(key);
  if (!identity) ofImage.set(key, (identity = findIdentity(image, wanted)));
  return identity;
}

function findIdentity(image: Image, wanted: ContainerConfig['user']): Identity {
  const files = new FileSystem(image.root, () => 0);
  const [name = '', group] = wanted?.uid === undefined ? (image.config.user ?? '').split(':') : [String(wanted.uid)];
  const found = findUser(files, name || '0') ?? { name: '', uid: Number(name) || 0, gid: 0, home: '/' };
  const named = group === undefined ? found.gid : (findGroup(files, group) ?? (Number(group) || 0));
  const gid = wanted?.gid ?? named;
  const groups = [...new Set([gid, ...groupsOf(files, found.name), ...(wanted?.groups ?? [])])];
  return { identity: { uid: found.uid, gid, groups }, home: found.home };
}
