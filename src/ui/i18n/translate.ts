import { usePreferences } from '../session/preferences.ts';
import { catalogues, type Locale, type MessageKey, type Messages } from './catalogues.ts';

/** The names in braces of a message. */
type Parameters<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Parameters<Rest>
  : never;

type Values<Key extends MessageKey> = { readonly [Name in Parameters<Messages[Key]>]: string | number };

/** The messages that need no values. */
export type PlainKey = { [Key in MessageKey]: [Parameters<Messages[Key]>] extends [never] ? Key : never }[MessageKey];

/** A message's text needs exactly the values that it names. */
export type Translate = <Key extends MessageKey>(
  key: Key,
  ...values: [Parameters<Messages[Key]>] extends [never] ? [] : [Values<Key>]
) => string;

const inLanguage = (locale: Locale): Translate => {
  const catalogue = catalogues[locale];
  return (key, ...[values]) =>
    catalogue[key].replace(/\{(\w+)\}/g, (_, name: string) =>
      String((values as Readonly<Record<string, unknown>>)[name]),
    );
};

const translations: Readonly<Record<Locale, Translate>> = { en: inLanguage('en'), zh: inLanguage('zh') };

/** The texts of a language. */
export function translate(locale: Locale): Translate {
  return translations[locale];
}

/** The texts of the language that shows. */
export function useTranslate(): Translate {
  return translations[usePreferences((preferences) => preferences.locale)];
}
