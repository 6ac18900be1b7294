import { create } from 'zustand';
import type { Locale } from '../i18n/catalogues.ts';

/** The only access to localStorage: it may be full, switched off or hold nonsense, and the page works all the same. */
export const storage = {
  getItem(key: string): string | null {
    try {
      return localStorage.getItem(`tabernetes.${key}`);
    } catch {
      return null;
    }
  },
  /** Returns whether the value was kept. */
  setItem(key: string, value: string): boolean {
    try {
      localStorage.setItem(`tabernetes.${key}`, value);
      return true;
    } catch {
      return false;
    }
  },
};

/** A remembered value; `check` turns what was found into the type or refuses it. */
export function recall<T>(key: string, check: (value: unknown) => T | undefined): T | undefined {
  const text = storage.getItem(key);
  if (text === null) return undefined;
  try {
    return check(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function remember(key: string, value: unknown): boolean {
  return storage.setItem(key, JSON.stringify(value));
}

export type ThemeChoice = 'system' | 'light' | 'dark';
export const TEXT_SIZES = [1, 1.15, 1.3, 1.5, 1.75] as const;
export type TextSize = (typeof TEXT_SIZES)[number];

interface Preferences {
  readonly theme: ThemeChoice;
  readonly locale: Locale;
  readonly textSize: TextSize;
  readonly screenReader: boolean;
  readonly set: (change: Partial<Omit<Preferences, 'set'>>) => void;
}

const oneOf =
  <T>(...allowed: readonly T[]) =>
  (value: unknown): T | undefined =>
    allowed.find((item) => item === value);

function languageOfBrowser(): Locale {
  const languages = typeof navigator === 'undefined' ? [] : navigator.languages;
  const first = languages.find((language) => /^(zh|en)\b/i.test(language));
  return first && /^zh/i.test(first) ? 'zh' : 'en';
}

/** What a person chose about the page. Remembered. */
export const usePreferences = create<Preferences>((set) => ({
  theme: recall('theme', oneOf<ThemeChoice>('system', 'light', 'dark')) ?? 'system',
  locale: recall('locale', oneOf<Locale>('en', 'zh')) ?? languageOfBrowser(),
  textSize: recall('textSize', oneOf<TextSize>(...TEXT_SIZES)) ?? 1,
  screenReader: recall('screenReader', oneOf(true, false)) ?? false,
  set: (change) => {
    for (const [key, value] of Object.entries(change)) remember(key, value);
    set(change);
  },
}));
