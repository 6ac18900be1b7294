/**
 * Ends this process when the npm that runs it as a script has gone. npm passes a signal on to the shell in between, and
 * the shell dies of it without a word to us; a server would stay behind, holding its port.
 */
export function endWithNpm() {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGTERM'), 250).unref();
}
