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
    license: { fileName: 'licenses.md' },
    // No chunks by hand: a group for Monaco drew the helper of import() into it, and so Monaco into the page's start.
    // Monaco's own chunk is big, and loads after the graph is alive.
    chunkSizeWarningLimit: 4096,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  // The scan starts at the page only; what is imported in workers and behind import() has to be found as well.
  optimizeDeps: { entries: ['index.html', 'src/{hosts/worker,ui}/**/*.{ts,tsx}', '!**/*.test.*'] },
  server: { host: '127.0.0.1' },
});
