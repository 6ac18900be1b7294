/** The range of Services' addresses, and who has the first of them. */
export interface ServiceNetwork {
  readonly cidr: string;
  /** Of the Service `kubernetes`: the first of the range. */
  readonly kubernetes: string;
  /** Of the Service `kube-dns`: the tenth, as kubeadm chooses it. */
  readonly dns: string;
}

const MIN_SIZE = 16;

/** What `--service-cluster-ip-range` means. Throws for what is no IPv4 range of 16 to 2^20 addresses. */
export function serviceNetwork(cidr: string): ServiceNetwork {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
  const [first = 0, second = 0, third = 0, fourth = 0, prefix = 0] = match?.slice(1).map(Number) ?? [];
  const parts = [first, second, third, fourth];
  const size = 2 ** (32 - prefix);
  const base = parts.reduce((sum, part) => sum * 256 + part, 0);
  if (!match || prefix > 32 || parts.some((part) => part > 255) || base % size !== 0)
    throw new Error(`${JSON.stringify(cidr)} is no IPv4 range such as 10.96.0.0/12`);
  if (size < MIN_SIZE || size > 2 ** 20) throw new Error(`${cidr} must have from ${MIN_SIZE} to 2^20 addresses`);
  const at = (place: number) => [24, 16, 8, 0].map((shift) => Math.floor((base + place) / 2 ** shift) % 256).join('.');
  return { cidr, kubernetes: at(1), dns: at(10) };
}
