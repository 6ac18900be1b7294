import { FitAddon } from '@xterm/addon-fit';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { Terminal as Xterm } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { token } from '../../theme/theme.ts';
import { TerminalMachine } from './machine.ts';

export interface ScreenOptions {
  readonly fontSize: number;
  readonly screenReader: boolean;
  readonly label: string;
}

let machine: TerminalMachine | undefined;

/** A terminal on the page. */
export class Screen {
  readonly #xterm: Xterm;
  readonly #fit = new FitAddon();
  readonly #detach: () => void;
  readonly #observer: ResizeObserver;

  /** `leave` is called for the key that leads out of the terminal. */
  constructor(host: HTMLElement, options: ScreenOptions, leave: () => void) {
    machine ??= new TerminalMachine();
    const { terminal } = machine;
    const xterm = new Xterm({
      allowProposedApi: true,
      cursorBlink: false,
      fontFamily: token('--mono'),
      fontSize: options.fontSize,
      screenReaderMode: options.screenReader,
      scrollback: 5000,
      minimumContrastRatio: 4.5,
      theme: colours(),
    });
    this.#xterm = xterm;
    xterm.loadAddon(this.#fit);
    xterm.loadAddon(new Unicode11Addon());
    xterm.unicode.activeVersion = '11';
    xterm.loadAddon(new WebLinksAddon());
    xterm.open(host);
    xterm.attachCustomKeyEventHandler((event) => {
      if (event.key === 'F6') return false;
      if (event.key === 'Escape' && event.type === 'keydown') {
        leave();
        return false;
      }
      const copy = event.ctrlKey && event.shiftKey && event.key.toLowerCase() === 'c';
      if (copy && event.type === 'keydown') void navigator.clipboard?.writeText(xterm.getSelection());
      return !copy;
    });
    this.#label(options.label);
    const encoder = new TextEncoder();
    xterm.onData((text) => terminal.type(encoder.encode(text)));
    xterm.onResize(({ cols, rows }) => terminal.resize(cols, rows));
    this.#detach = machine.attach((bytes) => xterm.write(bytes));
    this.#observer = new ResizeObserver(() => this.#refit());
    this.#observer.observe(host);
    this.#refit();
  }

  /** Takes over settings that have changed, the theme's tokens among them. */
  configure({ fontSize, screenReader, label }: ScreenOptions): void {
    this.#xterm.options.fontSize = fontSize;
    this.#xterm.options.screenReaderMode = screenReader;
    this.#xterm.options.theme = colours();
    this.#label(label);
    this.#refit();
  }

  focus(): void {
    this.#xterm.focus();
  }

  dispose(): void {
    this.#observer.disconnect();
    this.#detach();
    this.#xterm.dispose();
  }

  #label(label: string): void {
    this.#xterm.textarea?.setAttribute('aria-label', label);
  }

  #refit(): void {
    // A pane that is not shown has no size.
    if (this.#fit.proposeDimensions()?.cols) this.#fit.fit();
  }
}

function colours() {
  return {
    background: token('--surface'),
    foreground: token('--ink'),
    cursor: token('--ink'),
    cursorAccent: token('--surface'),
    selectionBackground: token('--line-strong'),
    red: token('--bad'),
    green: token('--ok'),
    yellow: token('--pending'),
    blue: token('--request'),
    magenta: token('--delivery'),
    cyan: token('--work'),
  };
}
