import { memo } from 'react';
import type { DiffLine } from './object-text.ts';
import { yamlTokens } from './object-text.ts';
import { useTranslate } from '../../i18n/translate.ts';
import styles from './inspector.module.css';

/** YAML to be read. */
export const CodeText = memo(function CodeText({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <pre className={styles.code} aria-label={label}>
      {text.split('\n').map((line, at) => (
        <span key={at}>
          {yamlTokens(line).map((token, column) => (
            <span key={column} data-token={token.kind}>
              {token.text}
            </span>
          ))}
          {'\n'}
        </span>
      ))}
    </pre>
  );
});

const SIGNS = { added: '+', removed: '−', same: ' ', skipped: '⋯' } as const;

/** What changed, line by line. */
export function DiffText({ lines }: { readonly lines: readonly DiffLine[] }) {
  const t = useTranslate();
  return (
    <pre className={styles.diff} aria-label={t('flow.diff')}>
      {lines.map(({ change, text }, at) => (
        <span key={at} data-change={change}>
          {change === 'skipped' ? `⋯ ${t('flow.same', { count: text })}` : `${SIGNS[change]} ${text}`}
        </span>
      ))}
    </pre>
  );
}
