// Loaded after the graph is alive, with the shell and kubectl.
import '@xterm/xterm/css/xterm.css';
import { FitAddon } from '@xterm/addon-fit';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { Terminal as Xterm } from '@xterm/xterm';
import { token, type Theme } from '../../theme/theme.ts';
import { terminalMachine } from './terminal-machine.ts';
import { terminalTheme } from './terminal-theme.ts';

export interface ScreenOptions {
  readonly theme: Theme;
  /** Pixels. */
  readonly fontSize: number;
  readonly screenReader: boolean;
  readonly still: boolean;
  readonly label: string;
}

export interface Screen {
  setOptions(options: ScreenOptions): void;
  focus(): void;
  clear(): void;
  dispose(): void;
}

const encoder = new TextEncoder();

/** Draws the page's terminal into an element. Escape calls `leave`; Ctrl+[ sends an escape to the program. */
export async function openScreen(host: HTMLElement, options: ScreenOptions, leave: () => void): Promise<Screen> {
  await document.fonts.load(`13px ${token('--mono').split(',')[0] ?? ''}`).catch(() => {});
  const machine = terminalMachine();
  const screen = new Xterm({
    allowProposedApi: true,
    fontFamily: token('--mono'),
    scrollback: 5000,
    minimumContrastRatio: 4.5,
    macOptionIsMeta: true,
    cursorInactiveStyle: 'outline',
  });
  const fit = new FitAddon();
  screen.loadAddon(fit);
  screen.loadAddon(new Unicode11Addon());
  screen.unicode.activeVersion = '11';
  screen.loadAddon(new WebLinksAddon((_, uri) => void window.open(uri, '_blank', 'noopener,noreferrer')));
  const setOptions = ({ theme, fontSize, screenReader, still, label }: ScreenOptions) => {
    screen.options.theme = terminalTheme(theme);
    screen.options.fontSize = fontSize;
    screen.options.screenReaderMode = screenReader;
    screen.options.cursorBlink = !still;
    screen.textarea?.setAttribute('aria-label', label);
    fit.fit();
  };

  screen.attachCustomKeyEventHandler((event) => {
    if (event.key === 'Escape') {
      if (event.type === 'keydown') leave();
      return false;
    }
    if (event.key === 'F6') return false;
    const ctrl = event.ctrlKey && !event.altKey && !event.metaKey;
    // ^C copies when something is selected, as in other terminals of the web; otherwise it interrupts.
    if (ctrl && event.code === 'KeyC' && (event.shiftKey || screen.hasSelection())) {
      if (event.type === 'keydown') {
        event.preventDefault();
        void navigator.clipboard.writeText(screen.getSelection());
        screen.clearSelection();
      }
      return false;
    }
    // The browser's own paste event brings the text.
    if (ctrl && event.code === 'KeyV') return false;
    return true;
  });
  screen.onData((data) => machine.type(encoder.encode(data)));
  screen.onBinary((data) => machine.type(Uint8Array.from(data, (char) => char.charCodeAt(0))));
  screen.onResize(({ cols, rows }) => machine.resize(cols, rows));
  screen.open(host);
  setOptions(options);
  machine.resize(screen.cols, screen.rows);
  const stop = machine.onOutput((bytes) => screen.write(bytes));
  const observer = new ResizeObserver(() => {
    if (host.clientWidth > 0 && host.clientHeight > 0) fit.fit();
  });
  observer.observe(host);
  return {
    setOptions,
    focus: () => screen.focus(),
    clear: () => screen.clear(),
    dispose() {
      stop();
      observer.disconnect();
      screen.dispose();
    },
  };
}
