import { preview } from 'vite';
import { root } from './install.js';

/**
 * Serves dist/ on loopback below a path, and nothing above it. Port 0 takes any free one, another number the next that
 * is free. Resolves when it listens; `close` ends it.
 * @param {{ port?: number, base?: string }} [options]
 */
export async function servePage({ port = 0, base = '/' } = {}) {
  const server = await preview({
    root,
    base,
    configFile: false,
    appType: 'mpa',
    logLevel: 'warn',
    preview: { host: '127.0.0.1', port },
  });
  const address = server.httpServer.address();
  if (!address || typeof address === 'string') throw new Error('The page is not served on a port.');
  return { url: `http://127.0.0.1:${address.port}${base}`, close: () => server.close() };
}
