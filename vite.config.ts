import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  // Relative, so that the built page works from any path.
  base: './',
  plugins: [react()],
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    sourcemap: true,
    // No chunks by hand: a group for Monaco drew the helper of import() into it, and so Monaco into the page's start.
    // Monaco's own chunk is big, and loads after the graph is alive.
    chunkSizeWarningLimit: 4096,
  },
  // Found only in workers or behind import(), where Vite's scan of the page does not see them.
  optimizeDeps: {
    include: ['@noble/hashes/sha2.js', 'ipaddr.js', 'js-yaml', 'pure-rand', 'rfc6902', 'unbash', 'yaml'],
  },
  server: { host: '127.0.0.1' },
});
