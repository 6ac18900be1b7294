import { useLayoutEffect, useSyncExternalStore } from 'react';
import { usePreferences } from '../session/preferences.ts';

export type Theme = 'light' | 'dark';

function media(query: string) {
  return {
    subscribe: (changed: () => void) => {
      const list = matchMedia(query);
      list.addEventListener('change', changed);
      return () => list.removeEventListener('change', changed);
    },
    get: () => matchMedia(query).matches,
  };
}

const dark = media('(prefers-color-scheme: dark)');
const still = media('(prefers-reduced-motion: reduce)');

/** The theme that shows: the one chosen, or the system's. */
export function useTheme(): Theme {
  const choice = usePreferences((preferences) => preferences.theme);
  const systemIsDark = useSyncExternalStore(dark.subscribe, dark.get);
  return choice === 'system' ? (systemIsDark ? 'dark' : 'light') : choice;
}

/** Whether the person asked for less motion. */
export function useReducedMotion(): boolean {
  return useSyncExternalStore(still.subscribe, still.get);
}

/** Puts theme, language and text size on the document. */
export function useDocumentSettings(): void {
  const theme = useTheme();
  const { locale, textSize } = usePreferences();
  // Before the effects of what is drawn, which read the tokens.
  useLayoutEffect(() => {
    const root = document.documentElement;
    root.dataset.theme = theme;
    root.lang = locale === 'zh' ? 'zh-Hans' : 'en';
    root.style.setProperty('--text-scale', String(textSize));
  }, [theme, locale, textSize]);
}

/** The present value of a design token, such as `--ink`, for what is not drawn by CSS. */
export function token(name: `--${string}`): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
