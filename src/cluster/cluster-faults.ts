import type { Pod } from '#api/generated/types.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import type { ControllerManager } from '#controllers/controller-manager.ts';
import { controllers } from '#controllers/controllers.ts';
import type { PodFault } from '#cri/contract.ts';
import type { Etcd } from '#etcd/etcd.ts';
import type { Component } from './component.ts';
import { FaultError, type FaultPart, type FaultSource } from './faults.ts';
import type { Machine } from './machine.ts';

/** The parts of a cluster that can fail. */
export interface ClusterParts {
  readonly etcd: Etcd<ApiObject>;
  readonly apiServer: Component;
  readonly scheduler: Component;
  readonly controllers: Component;
  /** That of the life that runs now. */
  readonly controllerManager: () => ControllerManager;
  readonly machines: ReadonlyMap<string, Machine>;
  /** The machine that the control plane's components run on, where there is one. */
  readonly controlPlane: Machine | undefined;
}

const COMPONENT_STATES = ['running', 'stopped'] as const;
const NODE_STATES = ['running', 'off', 'unplugged'] as const;
const POD_STATES = ['running', 'hang', 'crash', 'slow', 'unready'] as const;
const PODS = '/registry/pods/';

/** Knows what can fail, how it is, and what makes it fail. */
export class ClusterFaults implements FaultSource {
  readonly #parts: ClusterParts;
  readonly #unplugged = new Set<Machine>();

  constructor(parts: ClusterParts) {
    this.#parts = parts;
  }

  all(): readonly FaultPart[] {
    const { machines } = this.#parts;
    const each = [...machines.values()];
    const addOns = this.#addOns();
    return [
      this.#apiServer(),
      this.#etcd(),
      this.#component('kube-scheduler', this.#parts.scheduler),
      this.#component('kube-controller-manager', this.#parts.controllers),
      ...controllers.map(({ name }) => this.#controller(name)),
      ...each.map((machine) => this.#node(machine)),
      ...each.map((machine) => this.#kubelet(machine)),
      ...each.map((machine) => this.#proxy(machine, addOns)),
      this.#dns(addOns),
      ...this.#brokenPods(),
    ];
  }

  find(target: string): FaultPart | undefined {
    const [kind, ...names] = target.split('/');
    if (kind === 'pods' && names.length === 2) return this.#pod(names[0] as string, names[1] as string);
    return this.all().find((part) => part.target === target);
  }

  #apiServer(): FaultPart {
    const { apiServer, etcd } = this.#parts;
    const part = this.#component('kube-apiserver', apiServer);
    return {
      ...part,
      set: (state) => {
        if (state === 'running' && !etcd.running)
          throw new FaultError('kube-apiserver does not start without etcd: start etcd first');
        part.set(state);
      },
    };
  }

  #etcd(): FaultPart {
    const { etcd } = this.#parts;
    return {
      target: 'etcd',
      states: COMPONENT_STATES,
      state: etcd.running ? 'running' : 'stopped',
      set: (state) => {
        this.#demandControlPlane('etcd');
        if (state === 'running') etcd.start();
        else etcd.stop();
      },
    };
  }

  #component(target: string, component: Component): FaultPart {
    return {
      target,
      states: COMPONENT_STATES,
      state: component.running ? 'running' : 'stopped',
      set: (state) => {
        this.#demandControlPlane(target);
        if (state === 'running') component.start();
        else component.stop();
      },
    };
  }

  #demandControlPlane(target: string): void {
    const { controlPlane } = this.#parts;
    if (controlPlane && !controlPlane.on)
      throw new FaultError(`${target} runs on the node ${controlPlane.name}, which is off: start that first`);
  }

  #controller(name: string): FaultPart {
    const { controllers: component, controllerManager } = this.#parts;
    const runs = component.running && controllerManager().running.includes(name);
    return {
      target: `controllers/${name}`,
      states: COMPONENT_STATES,
      state: runs ? 'running' : 'stopped',
      set: (state) => {
        if (!component.running)
          throw new FaultError(`${name} runs in kube-controller-manager, which is stopped: start that first`);
        if (state === 'running') controllerManager().start(controllers.filter((one) => one.name === name));
        else controllerManager().stop(name);
      },
    };
  }

  #node(machine: Machine): FaultPart {
    return {
      target: `nodes/${machine.name}`,
      states: NODE_STATES,
      state: !machine.on ? 'off' : this.#unplugged.has(machine) ? 'unplugged' : 'running',
      set: (state) => {
        if (state === 'unplugged') this.#unplugged.add(machine);
        else if (state === 'running') this.#unplugged.delete(machine);
        if (state === 'off') {
          // Before anything ends: nobody hears of it.
          machine.host.unplugged = true;
          this.#powerOff(machine);
        } else if (!machine.on) this.#powerOn(machine);
        this.#wire();
      },
    };
  }

  #powerOff(machine: Machine): void {
    machine.stop();
    if (machine !== this.#parts.controlPlane) return;
    const { apiServer, etcd, scheduler, controllers: manager } = this.#parts;
    for (const component of [apiServer, scheduler, manager]) component.stop();
    etcd.stop();
  }

  #powerOn(machine: Machine): void {
    if (machine === this.#parts.controlPlane) {
      const { apiServer, etcd, scheduler, controllers: manager } = this.#parts;
      etcd.start();
      for (const component of [apiServer, scheduler, manager]) component.start();
    }
    machine.start();
  }

  /** Makes cables and ways to the API server as the machines' states are. */
  #wire(): void {
    const { machines, controlPlane } = this.#parts;
    for (const machine of machines.values()) machine.host.unplugged = !machine.on || this.#unplugged.has(machine);
    for (const machine of machines.values()) {
      const cut = machine !== controlPlane && (machine.host.unplugged || controlPlane?.host.unplugged);
      if (cut) machine.cut();
      else machine.link.join();
    }
  }

  #kubelet(machine: Machine): FaultPart {
    const { name } = machine;
    return {
      target: `kubelets/${name}`,
      states: COMPONENT_STATES,
      state: machine.kubeletRuns ? 'running' : 'stopped',
      set: (state) => {
        if (!machine.on) throw new FaultError(`the node ${name} is off: start that first`);
        if (state === 'running') machine.startKubelet();
        else machine.stopKubelet();
      },
    };
  }

  #proxy(machine: Machine, addOns: readonly Pod[]): FaultPart {
    const own = addOns.filter(
      ({ metadata, spec }) => metadata.labels?.['k8s-app'] === 'kube-proxy' && spec.nodeName === machine.name,
    );
    return this.#addOn(`kube-proxies/${machine.name}`, own);
  }

  #dns(addOns: readonly Pod[]): FaultPart {
    return this.#addOn(
      'coredns',
      addOns.filter(({ metadata }) => metadata.labels?.['k8s-app'] === 'kube-dns'),
    );
  }

  /** A component that is Pods: stopped, its processes hang. */
  #addOn(target: string, pods: readonly Pod[]): FaultPart {
    const bound = pods.filter((pod) => this.#runtimeOf(pod));
    return {
      target,
      states: COMPONENT_STATES,
      state: bound.some((pod) => this.#faultOf(pod) === 'hang') ? 'stopped' : 'running',
      set: (state) => {
        if (bound.length === 0) throw new FaultError(`${target} has no Pod that runs`);
        for (const pod of bound) this.#setPodFault(pod, state === 'running' ? undefined : 'hang');
      },
    };
  }

  /** A Pod on a node. Throws {@link FaultError}. */
  #pod(namespace: string, name: string): FaultPart | undefined {
    const key = `${PODS}${namespace}/${name}`;
    const pod = this.#parts.etcd.cached(key).find((stored) => stored.key === key)?.value as Pod | undefined;
    if (!pod) throw new FaultError(`there is no Pod "${name}" in the namespace "${namespace}"`);
    if (!this.#runtimeOf(pod)) throw new FaultError(`the Pod "${name}" does not run on any node yet`);
    return this.#podPart(pod);
  }

  #podPart(pod: Pod): FaultPart {
    return {
      target: `pods/${pod.metadata.namespace}/${pod.metadata.name}`,
      states: POD_STATES,
      state: this.#faultOf(pod) ?? 'running',
      set: (state) => this.#setPodFault(pod, state === 'running' ? undefined : (state as PodFault)),
    };
  }

  #brokenPods(): readonly FaultPart[] {
    const broken = [...this.#parts.machines.values()].some(({ runtime }) => runtime && runtime.podFaults.size > 0);
    if (!broken) return [];
    return this.#parts.etcd
      .cached(PODS)
      .map(({ value }) => value as Pod)
      .filter((pod) => this.#faultOf(pod) !== undefined)
      .map((pod) => this.#podPart(pod));
  }

  #addOns(): readonly Pod[] {
    return this.#parts.etcd.cached(`${PODS}kube-system/`).map(({ value }) => value as Pod);
  }

  /** The runtime that has something of the Pod. */
  #runtimeOf({ metadata: { uid = '' }, spec: { nodeName = '' } }: Pod) {
    const runtime = this.#parts.machines.get(nodeName)?.runtime;
    return runtime && runtime.listPodSandboxes(uid).length > 0 ? runtime : undefined;
  }

  #faultOf(pod: Pod): PodFault | undefined {
    return this.#runtimeOf(pod)?.podFaults.get(pod.metadata.uid ?? '');
  }

  #setPodFault(pod: Pod, fault: PodFault | undefined): void {
    const { nodeName = '' } = pod.spec;
    if (!this.#parts.machines.get(nodeName)?.on)
      throw new FaultError(`the Pod's node ${nodeName} is off: start that first`);
    this.#runtimeOf(pod)?.setPodFault(pod.metadata.uid ?? '', fault);
  }
}
