import '@xyflow/react/dist/base.css';
import {
  BaseEdge,
  getViewportForBounds,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
  type EdgeProps,
  type EdgeTypes,
  type NodeTypes,
} from '@xyflow/react';
import { Maximize, ZoomIn, ZoomOut } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, type KeyboardEvent } from 'react';
import { IconButton } from '../../components/button.tsx';
import { Pane } from '../../components/pane.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { useEntrance } from '../../session/panes.ts';
import { objectKey } from '../../cluster-store/kube-object.ts';
import { useCluster, useSelection } from '../../session/session.ts';
import { useReducedMotion } from '../../theme/theme.ts';
import { GraphFooter } from './graph-footer.tsx';
import { GraphComposer, type GraphElements, type GraphNode, type RouteEdge } from './graph-elements.ts';
import { nearest, useGraphFocus, type Direction } from './graph-focus.ts';
import { MARGIN_LEFT, MAX_ZOOM, type GraphLayout } from './graph-layout.ts';
import { lightOf, type GraphScene } from './graph-light.ts';
import { linesOf, type LineEdge } from './graph-lines.ts';
import { GraphModeller } from './graph-model.ts';
import { isSystem } from './graph-namespaces.ts';
import { Actor, Frame, Machine, PodElement } from './graph-nodes.tsx';
import { ServiceElement, WorkloadElement } from './graph-objects.tsx';
import { ServiceModeller } from './graph-services.ts';
import { WorkloadModeller } from './graph-workloads.ts';
import { TrafficCanvas } from './traffic-canvas.tsx';
import { useFault } from './use-item.ts';
import styles from './graph.module.css';

/** The cluster as it is: the control plane, the Nodes, their Pods, and all that moves between them. */
export function GraphPane() {
  return (
    <ReactFlowProvider>
      <Pane id="graph" tools={<ZoomTools />}>
        <Graph />
        <GraphFooter />
      </Pane>
    </ReactFlowProvider>
  );
}

const NODE_TYPES: NodeTypes = {
  frame: Frame,
  actor: Actor,
  machine: Machine,
  pod: PodElement,
  service: ServiceElement,
  workload: WorkloadElement,
};
const EDGE_TYPES: EdgeTypes = { route: RouteLine, line: Lines };
const FIT_PADDING = 0.03;
const MIN_ZOOM = 0.1;

function RouteLine({ id, source, data }: EdgeProps<RouteEdge>) {
  const party = id.slice('route:'.length).replace(/^node:/, 'nodes/');
  const hub = useFault('kube-apiserver');
  const own = useFault(party);
  return data ? (
    <BaseEdge
      id={id}
      path={data.route.path}
      className={styles.edge}
      data-quiet={source === 'queue' || undefined}
      data-cut={hub ?? own}
    />
  ) : null;
}

function Lines({ data, source }: EdgeProps<LineEdge>) {
  if (!data) return null;
  const { kind, state, lit, path, ends, to } = data;
  const shared = { 'data-kind': kind, 'data-state': state, 'data-lit': lit || undefined };
  return (
    <>
      <path className={styles.line} d={path} {...shared} data-from={source} data-to={to.join(' ')} />
      <path className={styles.ends} d={ends} {...shared} />
    </>
  );
}

const MANY = 120;
const FIT_DEBOUNCE_MS = 60;

const ARROWS: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};

function Graph() {
  const t = useTranslate();
  const { elements, lines } = useElements();
  const edges = useMemo(() => [...elements.edges, ...lines], [elements.edges, lines]);
  const { getViewport, setViewport } = useReactFlow();
  const fitView = useFit(elements.layout);
  const still = useReducedMotion();
  const duration = still ? 0 : 320;
  const flow = useRef<HTMLDivElement>(null);
  const held = useGraphFocus((focus) => focus.held);
  const hold = useGraphFocus((focus) => focus.hold);
  const show = useGraphFocus((focus) => focus.show);

  // A new cluster is shown whole.
  useEffect(() => {
    hold(false);
    show(undefined);
  }, [hold, show]);
  const { width, height } = useStore(({ width, height }) => ({ width, height }), sameSize);
  // A picture of hundreds of parts is not moved smoothly but at once.
  const moveMs = elements.nodes.length > MANY ? 0 : duration;
  const fitted = useRef(false);
  useEffect(() => {
    if (held || width === 0) return;
    const fit = () => fitView(fitted.current ? moveMs : 0);
    if (!fitted.current) {
      fit();
      fitted.current = true;
      return;
    }
    // While much comes at once, it is not fitted anew to each.
    const timer = setTimeout(fit, FIT_DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [held, width, height, fitView, moveMs]);

  useEntrance(
    'graph',
    useCallback(() => {
      const id = useGraphFocus.getState().id;
      flow.current?.querySelector<HTMLElement>(`[data-graph-item="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
    }, []),
  );

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const direction = ARROWS[event.key];
    const from = (event.target as HTMLElement).closest<HTMLElement>('[data-graph-item]');
    if (!direction || !from || !flow.current) return;
    event.preventDefault();
    const items = [...flow.current.querySelectorAll<HTMLElement>('[data-graph-item]')];
    const target = (element: HTMLElement) => {
      const box = element.getBoundingClientRect();
      // A Node is where its head is, so that its Pods are below it.
      return { id: element.dataset.graphItem ?? '', x: box.x + box.width / 2, y: box.y + Math.min(box.height / 2, 20) };
    };
    const id = nearest(target(from), items.map(target), direction);
    const next = items.find((item) => item.dataset.graphItem === id);
    if (!next) return;
    next.focus({ preventScroll: true });
    const [box, pane] = [next.getBoundingClientRect(), flow.current.getBoundingClientRect()];
    const dx = Math.max(0, pane.left + 16 - box.left) - Math.max(0, box.right + 16 - pane.right);
    const dy = Math.max(0, pane.top + 16 - box.top) - Math.max(0, box.bottom + 16 - pane.bottom);
    if (dx || dy) {
      const viewport = getViewport();
      hold(true);
      void setViewport({ ...viewport, x: viewport.x + dx, y: viewport.y + dy }, { duration });
    }
  };

  return (
    <div
      className={styles.flow}
      data-many={elements.nodes.length > MANY || undefined}
      ref={flow}
      onKeyDown={onKeyDown}
      // Nothing scrolls here: a browser that brings the focus into view would shift the picture.
      onScroll={(event) => event.currentTarget.scrollTo(0, 0)}
    >
      <ReactFlow<GraphNode, RouteEdge | LineEdge>
        nodes={elements.nodes as GraphNode[]}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        deleteKeyCode={null}
        panActivationKeyCode={null}
        selectionKeyCode={null}
        multiSelectionKeyCode={null}
        zoomActivationKeyCode={null}
        disableKeyboardA11y
        zoomOnDoubleClick={false}
        minZoom={MIN_ZOOM}
        maxZoom={2.5}
        onMove={(event) => event && hold(true)}
        onNodesChange={() => {}}
      >
        <TrafficCanvas layout={elements.layout} wiring={elements.wiring} />
      </ReactFlow>
      <Announcer />
      {elements.hiddenNodes > 0 && (
        <p className={styles.empty}>{t('graph.hiddenNodes', { count: elements.hiddenNodes })}</p>
      )}
    </div>
  );
}

const sameSize = (a: { width: number; height: number }, b: { width: number; height: number }) =>
  a.width === b.width && a.height === b.height;

/** Shows the whole picture, the lines beside the Nodes included. */
function useFit({ width: wide, height: high }: GraphLayout): (duration: number) => void {
  const { setViewport } = useReactFlow();
  const { width, height } = useStore(({ width, height }) => ({ width, height }), sameSize);
  return useCallback(
    (duration) => {
      const bounds = { x: -MARGIN_LEFT, y: 0, width: wide + MARGIN_LEFT, height: high };
      const viewport = getViewportForBounds(bounds, width, height, MIN_ZOOM, MAX_ZOOM, FIT_PADDING);
      void setViewport(viewport, { duration });
    },
    [wide, high, width, height, setViewport],
  );
}

/** The elements for the state of the cluster and the size of the pane, and the lines for what is looked at. */
function useElements(): { readonly elements: GraphElements; readonly lines: readonly LineEdge[] } {
  const scene = useScene();
  const { width, height } = useStore(({ width, height }) => ({ width, height }), sameSize);
  const composer = useMemo(() => new GraphComposer(), []);
  const elements = useMemo(
    () => composer.compose(scene, width > 0 ? { width, height } : { width: 620, height: 545 }),
    [composer, scene, width, height],
  );
  const selected = useSelection(({ current }) =>
    current?.type === 'object' ? objectKey(current.resource.plural, current.namespace, current.name) : undefined,
  );
  const hovered = useGraphFocus((focus) => focus.hovered);
  const shine = useGraphFocus((focus) => focus.shine);
  const light = useMemo(() => {
    const subject = hovered ?? selected;
    return subject === undefined ? undefined : lightOf(subject, scene);
  }, [hovered, selected, scene]);
  useEffect(() => shine(light), [light, shine]);
  const lines = useMemo(() => {
    const nodeOf = (pod: string) => elements.wiring.nodeOf(pod);
    return linesOf(scene.services.items, light, elements.wiring, elements.trackOf, nodeOf);
  }, [scene.services, light, elements]);
  return { elements, lines };
}

function useScene(): GraphScene {
  const pods = useCluster((state) => state.pods);
  const nodes = useCluster((state) => state.nodes);
  const services = useCluster((state) => state.services);
  const slices = useCluster((state) => state.endpointSlices);
  const deployments = useCluster((state) => state.deployments);
  const replicaSets = useCluster((state) => state.replicaSets);
  const daemonSets = useCluster((state) => state.daemonSets);
  const replicationControllers = useCluster((state) => state.replicationControllers);
  const namespace = useGraphFocus((focus) => focus.namespace);
  const modellers = useMemo(
    () => ({ pods: new GraphModeller(), services: new ServiceModeller(), workloads: new WorkloadModeller() }),
    [],
  );
  const model = useMemo(
    () => modellers.pods.model(pods.rows.values(), nodes.rows.values(), namespace),
    [modellers, pods, nodes, namespace],
  );
  const served = useMemo(
    () => modellers.services.model(services.rows.values(), slices.rows.values(), namespace),
    [modellers, services, slices, namespace],
  );
  const kept = useMemo(
    () =>
      modellers.workloads.model(
        {
          deployments: deployments.rows.values(),
          replicaSets: replicaSets.rows.values(),
          daemonSets: daemonSets.rows.values(),
          replicationControllers: replicationControllers.rows.values(),
        },
        namespace,
      ),
    [modellers, deployments, replicaSets, daemonSets, replicationControllers, namespace],
  );
  return useMemo(() => ({ model, services: served, workloads: kept }), [model, served, kept]);
}

/** Where users' objects lie in several namespaces: which of them are drawn. */
function NamespaceFilter() {
  const t = useTranslate();
  const pods = useCluster((state) => state.pods);
  const services = useCluster((state) => state.services);
  const deployments = useCluster((state) => state.deployments);
  const namespace = useGraphFocus((focus) => focus.namespace);
  const show = useGraphFocus((focus) => focus.show);
  const found = useMemo(() => {
    const names = new Set<string>();
    for (const { rows } of [pods, deployments, services])
      for (const { key, object } of rows.values())
        if (key !== 'services/default/kubernetes') names.add(object.metadata.namespace ?? '');
    return [...names].filter((name) => !isSystem(name)).sort();
  }, [pods, services, deployments]);
  // What was chosen is kept as long as it can be seen that it was.
  if (found.length < 2 && namespace === undefined) return null;
  return (
    <select
      className={styles.filter}
      aria-label={t('graph.namespace')}
      value={namespace ?? ''}
      onChange={(event) => show(event.target.value || undefined)}
    >
      <option value="">{t('graph.allNamespaces')}</option>
      {[...new Set([...found, ...(namespace === undefined ? [] : [namespace])])].map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

function ZoomTools() {
  const t = useTranslate();
  const { zoomIn, zoomOut } = useReactFlow();
  const hold = useGraphFocus((focus) => focus.hold);
  const duration = useReducedMotion() ? 0 : 200;
  const zoom = (by: typeof zoomIn) => {
    hold(true);
    void by({ duration });
  };
  // What nobody holds fits itself to its pane.
  const fit = () => hold(false);
  return (
    <>
      <NamespaceFilter />
      <IconButton label={t('graph.zoomOut')} onClick={() => zoom(zoomOut)}>
        <ZoomOut />
      </IconButton>
      <IconButton label={t('graph.zoomIn')} onClick={() => zoom(zoomIn)}>
        <ZoomIn />
      </IconButton>
      <IconButton label={t('graph.fit')} onClick={fit}>
        <Maximize />
      </IconButton>
    </>
  );
}

/** Says to assistive technology which Pod is in which state now, while there are few enough to follow. */
function Announcer() {
  const pods = useCluster((state) => state.pods);
  const known = useRef(new Map<string, string>());
  const status = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    const said: string[] = [];
    const next = new Map<string, string>();
    for (const row of pods.rows.values()) {
      if (row.object.metadata.namespace?.startsWith('kube-')) continue;
      const now = row.status ?? '';
      next.set(row.key, now);
      if (known.current.get(row.key) !== now) said.push(`Pod ${row.object.metadata.name}: ${now}`);
    }
    known.current = next;
    if (status.current && said.length > 0 && said.length <= MAX_SAID) status.current.textContent = said.join('. ');
  }, [pods]);
  return <p ref={status} className="visually-hidden" role="status" />;
}

const MAX_SAID = 5;
