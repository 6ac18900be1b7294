import { expect, test } from 'vitest';
import { FlagError, isControllerEnabled, serveOptions } from './serve-options.ts';

test('what is served by default, and what the flags change', () => {
  expect(serveOptions([])).toMatchObject({
    port: 8001,
    controlPort: 8002,
    workers: 3,
    controlPlaneNode: true,
    speed: 1,
  });
  const bare = serveOptions([
    '--port=0',
    '--no-kubelets',
    '--no-scheduler',
    '--node-names',
    '127.0.0.1,b',
    '--token',
    't',
  ]);
  expect(bare).toMatchObject({ controlPort: 0, workers: 0, controlPlaneNode: false, scheduler: false, token: 't' });
  expect(bare.nodeNames).toEqual(['127.0.0.1', 'b']);
  const admission = [
    '--disable-admission-plugins=PodSecurity,Priority',
    '--disable-admission-plugins',
    'ServiceAccount',
  ];
  expect(serveOptions(admission).disableAdmission).toEqual(['PodSecurity', 'Priority', 'ServiceAccount']);
  const { controllers } = serveOptions(['--controllers', '*,-node-ipam-controller']);
  expect(isControllerEnabled(controllers, 'deployment-controller')).toBe(true);
  expect(isControllerEnabled(controllers, 'node-ipam-controller')).toBe(false);
  expect(isControllerEnabled(['namespace-controller'], 'deployment-controller')).toBe(false);
});

test.each([
  [['--nope'], 'unknown flag: --nope'],
  [['--port', 'x'], '--port must be a whole number from 0 to 65535'],
  [['--speed', '0'], '--speed must be a number from 0.1 to 100'],
  [['--no-kubelets', '--workers', '1'], '--workers and --no-kubelets exclude each other'],
  [['--node-names', 'A'], '--node-names: "A" cannot be the name of a Node'],
  [['--authorization-mode', 'Nope'], 'authorization-mode "Nope" is not a valid mode'],
  [['--enable-admission-plugins', 'Nope'], 'enable-admission-plugins plugin "Nope" is unknown'],
  [['--controllers=-nope'], '"nope" is not in the list of known controllers'],
  [['--service-cluster-ip-range', 'x'], '--service-cluster-ip-range: "x" is no IPv4 range such as 10.96.0.0/12'],
])('%j is refused', (args, message) => {
  expect(() => serveOptions(args)).toThrow(new FlagError(message));
});
