import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    pool: 'threads',
    maxWorkers: '100%',
    // Tests run on virtual time; this only has to be more than a busy machine needs.
    testTimeout: 30_000,
    projects: [
      {
        extends: true,
        // The engine's modules have no state of their own, so its test files share a worker: four times as fast.
        test: {
          name: 'engine',
          include: ['src/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: ['src/ui/**'],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'page', include: ['src/ui/**/*.test.{ts,tsx}'] } },
    ],
  },
});
