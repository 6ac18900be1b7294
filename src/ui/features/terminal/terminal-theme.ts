import type { ITheme } from '@xterm/xterm';
import { token, type Theme } from '../../theme/theme.ts';

/** The sixteen colours: those of the page where they have a meaning there. */
export function terminalTheme(theme: Theme): ITheme {
  const dark = theme === 'dark';
  const [ink, grey, surface] = [token('--ink'), token('--ink-3'), token('--surface')];
  const [red, green, yellow, blue] = [token('--bad'), token('--ok'), token('--pending'), token('--request')];
  const [magenta, cyan] = [token('--decision'), token('--work')];
  return {
    background: surface,
    foreground: ink,
    cursor: ink,
    cursorAccent: surface,
    selectionBackground: dark ? '#3d5a8a99' : '#1d5fd633',
    scrollbarSliderBackground: token('--line'),
    scrollbarSliderHoverBackground: token('--line-strong'),
    scrollbarSliderActiveBackground: token('--line-strong'),
    black: dark ? '#26272c' : ink,
    brightBlack: grey,
    white: dark ? '#c9cad1' : '#6a6b74',
    brightWhite: dark ? '#ffffff' : '#4c4d55',
    red,
    brightRed: red,
    green,
    brightGreen: green,
    yellow,
    brightYellow: yellow,
    blue,
    brightBlue: blue,
    magenta,
    brightMagenta: magenta,
    cyan,
    brightCyan: cyan,
  };
}
