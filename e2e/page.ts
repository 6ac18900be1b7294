import { expect, type Locator, type Page } from '@playwright/test';

/** Where the journeys leave their pictures. */
const SCREENSHOTS = 'e2e/screenshots';

/** The page as its user sees it: by roles, names, and what is drawn as an object. */
export class Tabernetes {
  readonly page: Page;
  readonly editor: Locator;
  readonly graph: Locator;
  readonly terminal: Locator;
  readonly inspector: Locator;
  readonly timeline: Locator;
  readonly faults: string[] = [];

  constructor(page: Page) {
    this.page = page;
    const region = (name: string) => page.getByRole('region', { name, exact: true });
    this.editor = region('Editor');
    this.graph = region('Graph');
    this.terminal = region('Terminal');
    this.inspector = region('Inspector');
    this.timeline = region('Timeline');
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('console', (message) => message.type() === 'error' && this.faults.push(message.text()));
  }

  /** Opens the page and waits until all Nodes are Ready and editor and terminal are there. */
  async open(nodes = 4): Promise<void> {
    await this.page.goto('.');
    await expect(this.graph.locator('[data-object^="nodes/"][data-status="Ready"]')).toHaveCount(nodes);
    await expect(this.page.locator('.monaco-editor').first()).toBeVisible();
    await expect(this.screen()).toContainText('$');
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  object(name: string): Locator {
    return this.graph.locator(`[data-object="${name}"]`);
  }

  pod(name: string): Locator {
    return this.object(`pods/default/${name}`);
  }

  step(number: number): Locator {
    return this.inspector.locator(`[data-step="${number}"]`);
  }

  screen(): Locator {
    return this.terminal.locator('.xterm-rows');
  }

  /** Types a line into the terminal. */
  async type(line: string): Promise<void> {
    await this.terminal.locator('.xterm-helper-textarea').focus();
    await this.page.keyboard.type(`${line}\n`);
  }

  /** Puts a text in place of what the editor holds. */
  async write(text: string): Promise<void> {
    await this.editor.locator('.monaco-editor').first().click();
    await this.page.keyboard.press('ControlOrMeta+A');
    await this.page.keyboard.press('Delete');
    await this.page.evaluate((clip) => navigator.clipboard.writeText(clip), text);
    await this.page.keyboard.press('ControlOrMeta+V');
  }

  /** Steps until what is waited for is there. */
  async stepUntil(there: () => Promise<boolean>, limit = 600): Promise<void> {
    const step = this.button('Step');
    for (let turn = 0; turn < limit; turn++) {
      if (await there()) return;
      await step.click();
    }
    expect(await there(), `not after ${limit} steps`).toBe(true);
  }

  async screenshot(name: string): Promise<void> {
    await this.page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, animations: 'disabled' });
  }
}
