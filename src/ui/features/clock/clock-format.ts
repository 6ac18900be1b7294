/** Times of the cluster's clock: `12:03:44.120`, always UTC as Kubernetes writes them. */
export function timeOfDay(ms: number, digits: 0 | 1 | 3 = 3): string {
  const text = new Date(ms).toISOString().slice(11, 23);
  return digits === 3 ? text : digits === 1 ? text.slice(0, 10) : text.slice(0, 8);
}

/** A span of time with the digits that say something: `0.4 ms`, `12 ms`, `3.21 s`, `4 m 10 s`, `2 h 5 m`. */
export function duration(ms: number): string {
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms < 9.95) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} m`;
}

/** A speed such as `1×` or `0.25×`. */
export function times(speed: number): string {
  return `${Number(speed.toFixed(speed < 1 ? 2 : 1))}×`;
}
