import type { Pump } from '#base/pump.ts';

const GUARDED = ['setTimeout', 'setInterval', 'setImmediate', 'requestAnimationFrame'] as const;

/**
 * While the pump runs, real time, timers and randomness throw: neither our code nor a library can leak them into the
 * engine. Hosts that need them during a run keep the originals from before.
 */
export function guardAmbient(pump: Pump): void {
  const scope = globalThis as unknown as Record<string, unknown>;
  const RealDate = Date;
  const refuse = (name: string) => () => {
    throw new Error(
      `${name} was called while the engine runs: take time and randomness from the process's clock and rng`,
    );
  };
  const GuardedDate = new Proxy(RealDate, {
    construct(target, args, newTarget) {
      if (args.length === 0) refuse('new Date()')();
      return Reflect.construct(target, args, newTarget) as object;
    },
    get: (target, key, receiver) => (key === 'now' ? refuse('Date.now') : Reflect.get(target, key, receiver)),
  });
  const random = Math.random;
  const originals = new Map<string, unknown>();
  pump.onRun = (running) => {
    if (running) {
      for (const name of GUARDED) {
        if (!(name in scope)) continue;
        originals.set(name, scope[name]);
        scope[name] = refuse(name);
      }
      Math.random = refuse('Math.random');
      scope.Date = GuardedDate;
      return;
    }
    for (const [name, original] of originals) scope[name] = original;
    Math.random = random;
    scope.Date = RealDate;
  };
}
