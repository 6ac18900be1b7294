import { en } from './en.ts';
import { zh } from './zh.ts';

export type Messages = typeof en;
export type MessageKey = keyof Messages;
/** A language's texts: every key of English, none else. */
export type Catalogue = Readonly<Record<MessageKey, string>>;

export const catalogues = { en, zh } as const satisfies Record<string, Catalogue>;
export type Locale = keyof typeof catalogues;

/** What each language calls itself. */
export const languageNames: Readonly<Record<Locale, string>> = { en: 'English', zh: '简体中文' };
