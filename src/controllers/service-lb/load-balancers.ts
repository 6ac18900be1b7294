import type { Service } from '#api/generated/types.ts';
import { ReconcileError } from '../define-controller.ts';

/**
 * The cloud's load balancers, by the uid of the Service that each is for: all there is to one is its address, out of one
 * IPv4 range. They outlast the controller, which is told of those that there are by `adopt`.
 */
export class LoadBalancers {
  readonly #network: number;
  readonly #size: number;
  readonly #addresses = new Map<string, number>();
  readonly #used = new Set<number>();

  /** `cidr` such as `192.168.100.0/24`. Its first and its last address are not given away. */
  constructor(cidr: string) {
    const [address = '', bits] = cidr.split('/');
    this.#size = 2 ** (32 - Number(bits));
    this.#network = numberOf(address);
  }

  has({ metadata: { uid = '' } }: Service): boolean {
    return this.#addresses.has(uid);
  }

  /** Knows the load balancer that a Service's status names. */
  adopt(service: Service): void {
    const [ingress] = service.status?.loadBalancer?.ingress ?? [];
    const address = ingress?.ip && this.#contains(numberOf(ingress.ip)) ? numberOf(ingress.ip) : undefined;
    if (address !== undefined && !this.#used.has(address)) this.#take(service, address);
  }

  /** The address of the Service's load balancer, which is made if there is none. Throws when no address can be had. */
  ensure(service: Service): string {
    const { loadBalancerIP } = service.spec;
    const current = this.#addresses.get(service.metadata.uid ?? '');
    if (current !== undefined && (!loadBalancerIP || textOf(current) === loadBalancerIP)) return textOf(current);
    if (loadBalancerIP) {
      const wanted = numberOf(loadBalancerIP);
      if (!this.#contains(wanted))
        throw new ReconcileError(`address ${loadBalancerIP} is not one of the load balancers'`);
      if (this.#used.has(wanted)) throw new ReconcileError(`address ${loadBalancerIP} is in use`);
      this.release(service);
      return this.#take(service, wanted);
    }
    for (let host = 1; host < this.#size - 1; host++) {
      if (!this.#used.has(this.#network + host)) return this.#take(service, this.#network + host);
    }
    throw new ReconcileError('there is no address left for a load balancer');
  }

  /** Takes the Service's load balancer away. */
  release({ metadata: { uid = '' } }: Service): void {
    const address = this.#addresses.get(uid);
    if (address === undefined) return;
    this.#addresses.delete(uid);
    this.#used.delete(address);
  }

  #take({ metadata: { uid = '' } }: Service, address: number): string {
    this.#addresses.set(uid, address);
    this.#used.add(address);
    return textOf(address);
  }

  #contains(address: number): boolean {
    return address > this.#network && address < this.#network + this.#size - 1;
  }
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function textOf(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
