/** RFC 3339 in UTC with nanoseconds, as container logs have it. */
export function formatNanoTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  const nanos = Math.round((ms - second * 1000) * 1e6);
  return `${new Date(second * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}Z`;
}
