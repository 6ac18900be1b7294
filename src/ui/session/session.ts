import { createContext, useContext, useEffect, useState } from 'react';
import { create, useStore } from 'zustand';
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { ClockState, ClusterInfo, ClusterSession, Control, FaultTarget } from '#hosts/control.ts';
import { browserFrames } from '../cluster-store/batcher.ts';
import { createClusterStore, messageOf, type ClusterState, type ClusterStore } from '../cluster-store/cluster-store.ts';
import { createTraceStore, type TraceState, type TraceStore } from '../cluster-store/trace-store.ts';
import { ApiClient } from './api-client.ts';
import { createSelectionStore, type SelectionState } from './selection.ts';

/** One cluster that the page shows, with all that is known of it. A restart makes a new one. */
export interface RunningSession {
  readonly number: number;
  readonly control: Control;
  readonly api: ApiClient;
  readonly cluster: ClusterStore;
  readonly trace: TraceStore;
  /** Undefined until the engine has answered once. */
  readonly clock: StoreApi<{ readonly state: ClockState | undefined }>;
  readonly selection: StoreApi<SelectionState>;
  /** What can be made to fail, and how it is. */
  readonly faults: StoreApi<{ readonly targets: readonly FaultTarget[] }>;
}

interface Sessions {
  readonly running: RunningSession | undefined;
  readonly info: ClusterInfo | undefined;
  /** Why the engine is no more. */
  readonly crash: string | undefined;
  /** Ends the cluster, if there is one, and starts a new one. */
  readonly start: (open: () => ClusterSession) => void;
}

let number = 0;
let close = () => {};

export const useSessions = create<Sessions>((set, get) => ({
  running: undefined,
  info: undefined,
  crash: undefined,
  start: (open) => {
    const mine = ++number;
    close();
    close = () => {};
    const crashed = (message: string) => {
      if (mine === number && get().crash === undefined) set({ crash: message });
    };
    set({ running: undefined, info: undefined, crash: undefined });
    try {
      const session = open();
      const { control } = session;
      const api = new ApiClient(session.http);
      const clock = createStore<{ readonly state: ClockState | undefined }>(() => ({ state: undefined }));
      const running: RunningSession = {
        number: mine,
        control,
        api,
        cluster: createClusterStore(api, browserFrames),
        trace: createTraceStore(control, browserFrames),
        clock,
        selection: createSelectionStore(),
        faults: createStore<{ readonly targets: readonly FaultTarget[] }>(() => ({ targets: [] })),
      };
      const faultsAre = (targets: readonly FaultTarget[]) => running.faults.setState({ targets });
      const stopFaults = control.onFaults(faultsAre);
      const stopClock = control.onClock((state) => clock.setState({ state }));
      control.onCrash(crashed);
      close = () => {
        stopClock();
        stopFaults();
        running.trace.stop();
        running.cluster.stop();
        session.close();
      };
      set({ running });
      control.clock().then(
        (state) => clock.setState({ state }),
        () => {},
      );
      control.faults().then(faultsAre, () => {});
      control.info().then(
        (info) => mine === number && set({ info }),
        (error: unknown) => crashed(messageOf(error)),
      );
    } catch (error) {
      crashed(messageOf(error));
    }
  },
}));

export const SessionContext = createContext<RunningSession | undefined>(undefined);

/** The session that the panes show. */
export function useSession(): RunningSession {
  const session = useContext(SessionContext);
  if (!session) throw new Error('a pane was drawn without a session');
  return session;
}

export function useCluster<T>(select: (state: ClusterState) => T): T {
  return useStore(useSession().cluster.state, select);
}

export function useTrace<T>(select: (state: TraceState) => T): T {
  return useStore(useSession().trace.state, select);
}

export function useClock<T>(select: (state: ClockState | undefined) => T): T {
  return useStore(useSession().clock, ({ state }) => select(state));
}

export function useSelection<T>(select: (state: SelectionState) => T): T {
  return useStore(useSession().selection, select);
}

export function useFaults<T>(select: (targets: readonly FaultTarget[]) => T): T {
  return useStore(useSession().faults, ({ targets }) => select(targets));
}

/** What is big is fetched when the graph is alive, and at the latest after this, ms. */
const LATEST_MS = 4000;

/** Whether the graph shows the Nodes, so that it is time for the big parts of the page. */
export function useGraphAlive(): boolean {
  const alive = useCluster((state) => state.nodes.synced && state.nodes.rows.size > 0);
  const [due, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), alive ? 200 : LATEST_MS);
    return () => clearTimeout(timer);
  }, [alive]);
  return due;
}
