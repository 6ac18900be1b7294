import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'tools/**/*.test.ts'],
    environment: 'node',
    pool: 'threads',
    // Tests run on virtual time; this only has to be more than a busy machine needs.
    testTimeout: 30_000,
  },
});
