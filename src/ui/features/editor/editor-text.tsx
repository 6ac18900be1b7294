import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { messageOf } from '../../cluster-store/cluster-store.ts';
import { useTranslate } from '../../i18n/translate.ts';
import { leavePane, useEntrance } from '../../session/panes.ts';
import { usePreferences } from '../../session/preferences.ts';
import { useGraphAlive } from '../../session/session.ts';
import { useTheme } from '../../theme/theme.ts';
import type { Problem } from './documents.ts';
import { useEditor, type Answer, type EditorFile } from './editor-store.ts';
import type { CodeEditor, EditorOptions } from './monaco.ts';
import styles from './editor.module.css';

const CHECK_DEBOUNCE_MS = 200;
const NO_ANSWERS: readonly Answer[] = [];

/** The id of what the tabs of files control. */
export const EDITOR_PANEL = 'editor-text';

let reveal: ((line: number) => void) | undefined;

/** Shows a line of the file that is open, and leads the keyboard there. */
export function revealLine(line: number): void {
  reveal?.(line);
}

/** The text of the file that is open: at first a plain field, then Monaco in its place. */
export function EditorText({ onApply }: { readonly onApply: () => void }) {
  const t = useTranslate();
  const file = useEditor((state) => state.files.find((candidate) => candidate.id === state.active)) as EditorFile;
  const files = useEditor((state) => state.files);
  const answers = useEditor((state) => state.answers.get(state.active)) ?? NO_ANSWERS;
  const write = useEditor((state) => state.write);
  const theme = useTheme();
  const { textSize, screenReader } = usePreferences();
  const host = useRef<HTMLDivElement>(null);
  const plain = useRef<HTMLTextAreaElement>(null);
  const [code, setCode] = useState<CodeEditor>();
  const [problem, setProblem] = useState<string>();
  const label = t('editor.text', { name: file.name });
  const options = useMemo<EditorOptions>(
    () => ({ theme, fontSize: 13 * textSize, screenReader, label }),
    [theme, textSize, screenReader, label],
  );

  const apply = useRef(onApply);
  const latest = useRef(options);
  useEffect(() => {
    apply.current = onApply;
    latest.current = options;
  });

  const due = useGraphAlive();
  useEffect(() => {
    if (!due) return;
    let over = false;
    let made: CodeEditor | undefined;
    const load = async () => {
      const { createEditor, fontsReady } = await import('./monaco.ts');
      await fontsReady();
      if (over || !host.current) return;
      const focused = document.activeElement === plain.current;
      made = createEditor(host.current, latest.current, {
        changed: write,
        apply: () => apply.current(),
        leave: () => leavePane('editor'),
      });
      setCode(made);
      if (focused) made.focus();
    };
    // Without Monaco (the network went, say) the plain field stays.
    load().catch((error: unknown) => !over && setProblem(messageOf(error)));
    return () => {
      over = true;
      made?.dispose();
      setCode(undefined);
    };
  }, [due, write]);

  // The theme's tokens are on the document after this render.
  useEffect(() => code?.setOptions(options), [code, options]);
  useEffect(() => {
    code?.show(file);
    code?.keep(files);
  }, [code, file, files]);
  useEffect(() => code?.setAnswers(answers), [code, answers, file.id]);

  const problems = useProblems(file, due);
  useEffect(() => {
    code?.setProblems([...problems, ...answers.flatMap((answer) => answer.problems)]);
  }, [code, problems, answers, file.id]);

  const focus = useCallback(() => (code ? code.focus() : plain.current?.focus()), [code]);
  useEntrance('editor', focus);
  useEffect(() => {
    reveal = code ? (line) => code.reveal(line) : focus;
    return () => {
      reveal = undefined;
    };
  }, [code, focus]);

  return (
    <div id={EDITOR_PANEL} role="tabpanel" aria-label={label} className={`${styles.text} nokey`}>
      {!code && (
        <textarea
          ref={plain}
          className={styles.plain}
          aria-label={label}
          spellCheck={false}
          value={file.text}
          onChange={(event) => write(file.id, event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') leavePane('editor');
            else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) onApply();
          }}
        />
      )}
      <div ref={host} className={styles.monaco} hidden={!code} />
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {t('editor.plain', { problem })}
        </p>
      )}
    </div>
  );
}

/** What is wrong with the YAML, a little after the last key. The parser is fetched with the editor. */
function useProblems(file: EditorFile, due: boolean): readonly Problem[] {
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  useEffect(() => {
    if (!due) return;
    let over = false;
    const check = async () => {
      const { MAX_CHECKED, readDocuments } = await import('./documents.ts');
      if (over) return;
      const { text } = file;
      setProblems(text.length > MAX_CHECKED ? [] : readDocuments(text).flatMap((document) => document.problems));
    };
    const timer = setTimeout(() => void check(), CHECK_DEBOUNCE_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [file, due]);
  return problems;
}
