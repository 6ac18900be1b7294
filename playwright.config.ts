import { defineConfig } from '@playwright/test';
import { browserArgs, ensureBrowser } from './tools/browser.js';

/** What asks a server of its own over HTTP, without the page: it waits most of the time, so that two run side by side. */
const clients = /\/(clients|sessions|transcripts)\.spec\.ts$/;

// Looked for once; the workers read this file again and inherit the answer.
process.env.CHROME_PATH = ensureBrowser();

export default defineConfig({
  testDir: 'e2e',
  globalSetup: './e2e/global-setup.ts',
  outputDir: 'test-results',
  workers: 1,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: 'list',
  use: {
    browserName: 'chromium',
    launchOptions: { executablePath: process.env.CHROME_PATH, args: browserArgs },
    viewport: { width: 1440, height: 900 },
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'page', testIgnore: clients, use: { baseURL: process.env.PAGE_URL } },
    // What is tagged @sub-path runs once more with the page below a path, as on GitHub Pages.
    { name: 'sub-path', grep: /@sub-path/, use: { baseURL: process.env.SUB_PATH_PAGE_URL } },
    { name: 'clients', testMatch: clients, fullyParallel: true, outputDir: 'test-results/clients' },
  ],
});
