import type { PlainKey } from '../../i18n/translate.ts';

/** A manifest to begin with. */
export interface Example {
  readonly file: string;
  /** A name of Kubernetes' own, or a text of the page. */
  readonly title: string | { readonly key: PlainKey };
  /** What it shows, in one line. */
  readonly about: PlainKey;
  readonly text: string;
}
