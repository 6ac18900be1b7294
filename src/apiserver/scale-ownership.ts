import { identityOf, type Owner } from './field-owners.ts';
import { difference, has, isEmpty, setOf } from './field-set.ts';

/** Where a Scale has the number that is the object's, and where objects have it unless they say so. */
const REPLICAS = ['f:spec', 'f:replicas'];

const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';

/** The owners of the number of replicas, as a Scale of that version shows them. Follows managedfields/scalehandler.go, v1.33. */
export function ownersOfScale(
  owners: readonly Owner[],
  apiVersion: string,
  scaleVersion: string,
  path: readonly string[] = REPLICAS,
): readonly Owner[] {
  return owners
    .filter((owner) => groupOf(owner.apiVersion) === groupOf(apiVersion) && has(owner.fields, path))
    .map((owner) => ({ ...owner, apiVersion: scaleVersion, fields: setOf(REPLICAS), entry: undefined }));
}

/** The owners of an object after those of its Scale have become these. Entries that are new have no time. */
export function ownersFromScale(
  owners: readonly Owner[],
  apiVersion: string,
  ofScale: readonly Owner[],
  path: readonly string[] = REPLICAS,
): readonly Owner[] {
  const scaleVersion = ofScale[0]?.apiVersion ?? '';
  const rest = new Map(ofScale.map((owner) => [identityOf(owner), owner]));
  const result: Owner[] = [];
  for (const owner of owners) {
    if (groupOf(owner.apiVersion) !== groupOf(apiVersion)) continue;
    if (!has(owner.fields, path)) {
      result.push(owner);
      continue;
    }
    if (rest.delete(identityOf({ ...owner, apiVersion: scaleVersion }))) {
      result.push(owner);
      continue;
    }
    const fields = difference(owner.fields, setOf(path));
    if (!isEmpty(fields)) result.push({ ...owner, fields, entry: undefined });
  }
  for (const owner of rest.values()) {
    if (!has(owner.fields, REPLICAS)) continue;
    const known = owners.find((other) => identityOf(other) === identityOf({ ...owner, apiVersion }));
    result.push({ ...owner, apiVersion, time: known?.time, fields: setOf(path), entry: undefined });
  }
  return result;
}
