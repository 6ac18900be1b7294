import { useStoreApi } from '@xyflow/react';
import { useEffect, useRef } from 'react';
import type { SpanTone } from '../../cluster-store/span-view.ts';
import { useTranslate, type PlainKey } from '../../i18n/translate.ts';
import { useSession } from '../../session/session.ts';
import { token, useReducedMotion, useTheme } from '../../theme/theme.ts';
import type { Failure, Hop, Mark } from './connection-traffic.ts';
import { pointAlong } from './geometry.ts';
import { NODE_HEAD, type GraphLayout } from './graph-layout.ts';
import type { GraphWiring } from './graph-wiring.ts';
import { Traffic, type Flight } from './traffic.ts';
import styles from './graph.module.css';

const TONES: readonly SpanTone[] = ['request', 'write', 'delivery', 'decision', 'work', 'connection'];
const OUTCOMES: Readonly<Record<string, PlainKey>> = {
  refused: 'outcome.refused',
  rejected: 'outcome.rejected',
  dropped: 'outcome.dropped',
  unreachable: 'outcome.unreachable',
  timeout: 'outcome.timeout',
  reset: 'outcome.reset',
  silent: 'outcome.silent',
};
/** A number is written from so many on; fewer are told by the size of the dot. */
const WRITTEN = 2;
const PILL_HEIGHT = 16;
const FADE_MS = 500;

/** Slow at both ends. */
const ease = (share: number) => (share < 0.5 ? 2 * share * share : 1 - (2 - 2 * share) ** 2 / 2);

/**
 * What moves, drawn over the graph on a canvas: it costs nothing while nothing moves, and React knows nothing of it.
 * Who asked for less motion sees lines light up in place of dots that run.
 */
export function TrafficCanvas({ layout, wiring }: { readonly layout: GraphLayout; readonly wiring: GraphWiring }) {
  const t = useTranslate();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { trace } = useSession();
  const flow = useStoreApi();
  const theme = useTheme();
  const still = useReducedMotion();
  const layoutNow = useRef(layout);
  const wiringNow = useRef(wiring);
  useEffect(() => {
    layoutNow.current = layout;
    wiringNow.current = wiring;
  }, [layout, wiring]);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return;
    const colours = Object.fromEntries(TONES.map((tone) => [tone, token(`--${tone}`)])) as Record<SpanTone, string>;
    const [bad, surface, font] = [token('--bad'), token('--surface'), token('--font')];
    const warn = token('--pending');
    const word = (why: Failure) => {
      const key = OUTCOMES[why];
      return key ? t(key) : why;
    };
    const traffic = new Traffic();
    let frame = 0;

    const drawFlight = (flight: Flight, now: number, zoom: number) => {
      const route = layoutNow.current.routes.get(flight.route);
      if (!route || flight.start > now) return;
      const share = (now - flight.start) / (flight.end - flight.start);
      const colour = flight.failed ? bad : colours[flight.tone];
      context.globalAlpha = flight.faint ? 0.35 : 1;
      context.fillStyle = context.strokeStyle = colour;
      if (still) {
        context.globalAlpha *= 1 - share;
        context.lineWidth = 3;
        context.stroke(new Path2D(route.path));
        return;
      }
      // Towards kube-apiserver; the route to etcd begins there.
      const forward = flight.route === 'etcd' ? flight.outward : !flight.outward;
      const { x, y } = pointAlong(route, forward ? ease(share) : 1 - ease(share));
      const numbered = flight.step !== undefined && !flight.faint;
      const radius =
        (flight.faint ? 2.2 : numbered ? 8 : 4) + Math.min(3, Math.log2(flight.count)) * (numbered ? 0 : 0.8);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
      if (!numbered) return;
      context.lineWidth = 1.5;
      context.strokeStyle = surface;
      context.stroke();
      if (zoom < 0.4) return;
      context.fillStyle = surface;
      context.fillText(String(flight.step), x, y + 0.5);
    };

    const drawHop = (hop: Hop, now: number) => {
      const route = wiringNow.current.route(hop.stations);
      if (!route || hop.start > now) return;
      const share = (now - hop.start) / (hop.end - hop.start);
      context.globalAlpha = hop.faint ? 0.4 : 1;
      context.fillStyle = context.strokeStyle = hop.failed ? bad : colours.connection;
      if (still) {
        context.globalAlpha *= 1 - share;
        context.lineWidth = 3;
        context.stroke(new Path2D(route.path));
        return;
      }
      const { x, y } = pointAlong(route, ease(share));
      if (hop.faint || hop.count < WRITTEN) {
        context.beginPath();
        context.arc(x, y, hop.faint ? 2 : 4.5, 0, 2 * Math.PI);
        context.fill();
        return;
      }
      pill(String(hop.count), x, y);
    };

    const pillWidth = (text: string) => Math.max(PILL_HEIGHT, context.measureText(text).width + 9);

    /** A word on a ground of the present colour. */
    const pill = (text: string, x: number, y: number) => {
      const width = pillWidth(text);
      context.beginPath();
      context.roundRect(x - width / 2, y - PILL_HEIGHT / 2, width, PILL_HEIGHT, PILL_HEIGHT / 2);
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = surface;
      context.stroke();
      context.fillStyle = surface;
      context.fillText(text, x, y + 0.5);
    };

    const drawMark = (mark: Mark, now: number) => {
      const place = wiringNow.current.place(mark.at);
      if (!place || mark.start > now) return;
      const { box } = place;
      context.globalAlpha = Math.min(1, (mark.end - now) / FADE_MS) * (mark.faint ? 0.5 : 1);
      context.strokeStyle = context.fillStyle = mark.answered ? warn : bad;
      context.lineWidth = mark.faint ? 1 : 2;
      context.beginPath();
      const height = place.node === box ? NODE_HEAD : box.height;
      context.roundRect(box.x - 2, box.y - 2, box.width + 4, height + 4, 9);
      context.stroke();
      if (mark.faint) return;
      const text = `${mark.answered ? '' : '✕ '}${word(mark.why)}${mark.count > 1 ? ` ×${mark.count}` : ''}`;
      // On the left: on the right are the switches.
      pill(text, box.x + 4 + pillWidth(text) / 2, box.y - 4);
    };

    const draw = () => {
      frame = 0;
      const now = performance.now();
      const { flights, pulses, hops, marks } = traffic.at(now);
      const { transform, width, height } = flow.getState();
      const ratio = devicePixelRatio;
      if (element.width !== Math.round(width * ratio) || element.height !== Math.round(height * ratio)) {
        element.width = Math.round(width * ratio);
        element.height = Math.round(height * ratio);
      }
      const [x, y, zoom] = transform;
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, element.width, element.height);
      context.setTransform(ratio * zoom, 0, 0, ratio * zoom, ratio * x, ratio * y);
      for (const pulse of pulses) {
        const whole = layoutNow.current.boxes.get(pulse.party);
        if (!whole || pulse.start > now) continue;
        // What happens on a Node is its kubelet's doing: its head lights up, not its Pods.
        const box = pulse.party.startsWith('node:') ? { ...whole, height: NODE_HEAD } : whole;
        const share = (now - pulse.start) / (pulse.end - pulse.start);
        const grow = still ? 0 : 7 * ease(share);
        context.globalAlpha = 1 - share;
        context.strokeStyle = pulse.failed ? bad : colours[pulse.tone];
        context.lineWidth = 2.5;
        context.beginPath();
        context.roundRect(box.x - grow, box.y - grow, box.width + 2 * grow, box.height + 2 * grow, 10 + grow);
        context.stroke();
        context.globalAlpha = 0.16 * (1 - share);
        context.fillStyle = context.strokeStyle;
        context.fill();
      }
      context.font = `600 10.5px ${font}`;
      context.textAlign = 'center';
      context.textBaseline = 'middle';
      for (const flight of flights) drawFlight(flight, now, zoom);
      for (const hop of hops) drawHop(hop, now);
      for (const mark of marks) drawMark(mark, now);
      context.globalAlpha = 1;
      element.dataset.connections = String(traffic.connections.total);
      element.dataset.last = traffic.connections.last;
      if (flights.length > 0 || pulses.length > 0 || hops.length > 0 || marks.length > 0)
        frame = requestAnimationFrame(draw);
    };
    const stop = trace.onSpans((spans) => {
      traffic.add(spans, performance.now());
      if (!frame && !document.hidden) frame = requestAnimationFrame(draw);
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [trace, flow, theme, still, t]);

  return <canvas ref={canvas} className={styles.traffic} aria-hidden="true" />;
}
