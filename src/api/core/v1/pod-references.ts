import type { Container, Pod, Volume } from '../../generated/types.ts';
import { allContainers } from './pod-status.ts';

// What a Pod refers to by name. Follows pkg/api/v1/pod/util.go, v1.33.

/** The names of all secrets that the Pod needs, in the order of their appearance, each once. */
export function secretNames(pod: Pod): readonly string[] {
  return distinct([
    ...(pod.spec.imagePullSecrets ?? []).map(({ name }) => name),
    ...allContainers(pod).flatMap(secretsOfContainer),
    ...(pod.spec.volumes ?? []).flatMap(secretsOfVolume),
  ]);
}

/** The names of all ConfigMaps that the Pod needs. */
export function configMapNames(pod: Pod): readonly string[] {
  return distinct([
    ...allContainers(pod).flatMap(({ env = [], envFrom = [] }) => [
      ...envFrom.map(({ configMapRef }) => configMapRef?.name),
      ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
    ]),
    ...(pod.spec.volumes ?? []).flatMap(({ configMap, projected }) => [
      configMap?.name,
      ...(projected?.sources ?? []).map((source) => source.configMap?.name),
    ]),
  ]);
}

const distinct = (names: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(names.filter((name): name is string => !!name)),
];

const secretsOfContainer = ({ env = [], envFrom = [] }: Container) => [
  ...envFrom.map(({ secretRef }) => secretRef?.name),
  ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
];

const secretsOfVolume = (volume: Volume): readonly (string | undefined)[] => [
  volume.secret?.secretName,
  volume.azureFile?.secretName,
  ...(volume.projected?.sources ?? []).map(({ secret }) => secret?.name),
  volume.cephfs?.secretRef?.name,
  volume.cinder?.secretRef?.name,
  volume.flexVolume?.secretRef?.name,
  volume.rbd?.secretRef?.name,
  volume.scaleIO?.secretRef?.name,
  volume.iscsi?.secretRef?.name,
  volume.storageos?.secretRef?.name,
  volume.csi?.nodePublishSecretRef?.name,
];
