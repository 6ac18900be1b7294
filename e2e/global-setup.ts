import { buildPageIfStale } from '../tools/build.js';
import { servePage } from '../tools/serve-page.js';

/** Builds the page if it has changed and serves it, once at `/` and once below a path; playwright.config.ts names both. */
export default async function globalSetup() {
  await buildPageIfStale();
  const page = await servePage();
  const subPath = await servePage({ base: '/some/path/' });
  process.env.PAGE_URL = page.url;
  process.env.SUB_PATH_PAGE_URL = subPath.url;
  return async () => {
    await Promise.all([page.close(), subPath.close()]);
  };
}
