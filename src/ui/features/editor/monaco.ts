// Loaded after the graph is alive: the biggest part of the page. Only the features that a YAML editor wants.
import { editor, KeyCode, KeyMod, MarkerSeverity } from 'monaco-editor/editor';
import EditorWorker from 'monaco-editor/editor/editor.worker?worker';
import 'monaco-editor/features/anchorSelect/register';
import 'monaco-editor/features/bracketMatching/register';
import 'monaco-editor/features/caretOperations/register';
import 'monaco-editor/features/clipboard/register';
import 'monaco-editor/features/codicon/register';
import 'monaco-editor/features/comment/register';
import 'monaco-editor/features/contextmenu/register';
import 'monaco-editor/features/cursorUndo/register';
import 'monaco-editor/features/find/register';
import 'monaco-editor/features/folding/register';
import 'monaco-editor/features/gotoError/register';
import 'monaco-editor/features/gotoLine/register';
import 'monaco-editor/features/hover/register';
import 'monaco-editor/features/indentation/register';
import 'monaco-editor/features/linesOperations/register';
import 'monaco-editor/features/longLinesHelper/register';
import 'monaco-editor/features/multicursor/register';
import 'monaco-editor/features/quickCommand/register';
import 'monaco-editor/features/smartSelect/register';
import 'monaco-editor/features/toggleTabFocusMode/register';
import 'monaco-editor/features/unicodeHighlighter/register';
import 'monaco-editor/features/wordHighlighter/register';
import 'monaco-editor/features/wordOperations/register';
import 'monaco-editor/languages/definitions/yaml/register';
import { token, type Theme } from '../../theme/theme.ts';
import type { Problem } from './documents.ts';
import type { Answer, EditorFile } from './editor-store.ts';
import styles from './editor.module.css';

self.MonacoEnvironment = { getWorker: () => new EditorWorker() };

/** Six digits without the sign; builds shorten #ffffff to #fff, which Monaco does not take. */
const bare = (name: `--${string}`) => {
  const digits = token(name).replace('#', '');
  return digits.length === 3 ? digits.replace(/./g, '$&$&') : digits;
};
const colour = (name: `--${string}`) => `#${bare(name)}`;

/** Makes Monaco look like the page, whose tokens are those of the theme now. */
function adoptTheme(theme: Theme): void {
  editor.defineTheme('tabernetes', {
    base: theme === 'dark' ? 'vs-dark' : 'vs',
    inherit: true,
    rules: [
      { token: '', foreground: bare('--ink') },
      { token: 'type.yaml', foreground: bare('--ink-2') },
      { token: 'string.yaml', foreground: bare('--ink') },
      { token: 'number.yaml', foreground: bare('--work') },
      { token: 'keyword.yaml', foreground: bare('--work') },
      { token: 'comment.yaml', foreground: bare('--ink-3'), fontStyle: 'italic' },
      { token: 'operators.yaml', foreground: bare('--ink-3') },
      { token: 'delimiter', foreground: bare('--ink-3') },
    ],
    colors: {
      'editor.background': colour('--surface'),
      'editor.foreground': colour('--ink'),
      'editorLineNumber.foreground': colour('--ink-3'),
      'editorLineNumber.activeForeground': colour('--ink'),
      'editorGutter.background': colour('--surface'),
      'editor.lineHighlightBackground': colour('--sunken'),
      'editor.lineHighlightBorder': colour('--sunken'),
      'editorIndentGuide.background1': colour('--line'),
      'editorIndentGuide.activeBackground1': colour('--line-strong'),
      'editorWidget.background': colour('--raised'),
      'editorWidget.border': colour('--line-strong'),
      'editorHoverWidget.background': colour('--raised'),
      'editorHoverWidget.border': colour('--line-strong'),
      'editorError.foreground': colour('--bad'),
      'editorWarning.foreground': colour('--pending'),
      'scrollbar.shadow': '#00000000',
      focusBorder: colour('--focus'),
    },
  });
  editor.setTheme('tabernetes');
}

export interface EditorOptions {
  readonly theme: Theme;
  /** Pixels. */
  readonly fontSize: number;
  readonly screenReader: boolean;
  readonly label: string;
}

export interface EditorEvents {
  readonly changed: (file: number, text: string) => void;
  readonly apply: () => void;
  readonly leave: () => void;
}

/** The editor on the page: everything that the page wants of Monaco. */
export interface CodeEditor {
  show(file: EditorFile): void;
  setOptions(options: EditorOptions): void;
  /** What is wrong in the file that shows. */
  setProblems(problems: readonly Problem[]): void;
  /** The server's answers, each at the head of its document. */
  setAnswers(answers: readonly Answer[]): void;
  /** Forgets files that are closed. */
  keep(files: readonly EditorFile[]): void;
  reveal(line: number): void;
  focus(): void;
  dispose(): void;
}

// Escape closes what is open over the text first; with nothing open it leaves.
const NOTHING_OPEN =
  '!findWidgetVisible && !editorHasMultipleSelections && !markersNavigationVisible && !editorHoverVisible && !inQuickOpen';

/** Resolves when the font that the editor measures is there. */
export async function fontsReady(): Promise<void> {
  await document.fonts.load(`13px ${token('--mono').split(',')[0] ?? ''}`).catch(() => {});
  editor.remeasureFonts();
}

export function createEditor(host: HTMLElement, options: EditorOptions, events: EditorEvents): CodeEditor {
  adoptTheme(options.theme);
  const view = editor.create(host, {
    model: null,
    automaticLayout: true,
    minimap: { enabled: false },
    fontFamily: token('--mono'),
    fontLigatures: false,
    tabSize: 2,
    insertSpaces: true,
    detectIndentation: false,
    scrollBeyondLastLine: false,
    renderLineHighlight: 'line',
    renderWhitespace: 'selection',
    glyphMargin: true,
    lineNumbersMinChars: 3,
    lineDecorationsWidth: 4,
    folding: true,
    padding: { top: 8, bottom: 8 },
    overviewRulerLanes: 0,
    fixedOverflowWidgets: true,
    smoothScrolling: false,
    wordBasedSuggestions: 'off',
    quickSuggestions: false,
    stickyScroll: { enabled: false },
    scrollbar: { verticalScrollbarSize: 10, horizontalScrollbarSize: 10, alwaysConsumeMouseWheel: false },
    unicodeHighlight: { ambiguousCharacters: false },
  });
  const models = new Map<number, { readonly model: editor.ITextModel; state: editor.ICodeEditorViewState | null }>();
  let current: number | undefined;
  const decorations = view.createDecorationsCollection();
  view.addCommand(KeyMod.CtrlCmd | KeyCode.Enter, events.apply);
  view.addCommand(KeyCode.Escape, events.leave, NOTHING_OPEN);

  const setOptions = (next: EditorOptions) => {
    adoptTheme(next.theme);
    view.updateOptions({
      fontSize: next.fontSize,
      lineHeight: Math.round(next.fontSize * 1.6),
      accessibilitySupport: next.screenReader ? 'on' : 'auto',
      ariaLabel: next.label,
    });
  };
  setOptions(options);

  return {
    show(file) {
      let shown = models.get(file.id);
      if (!shown) {
        const model = editor.createModel(file.text, 'yaml');
        model.onDidChangeContent(() => events.changed(file.id, model.getValue()));
        models.set(file.id, (shown = { model, state: null }));
      }
      if (current !== file.id) {
        const before = current === undefined ? undefined : models.get(current);
        if (before) before.state = view.saveViewState();
        current = file.id;
        view.setModel(shown.model);
        view.restoreViewState(shown.state);
      }
      // Changed from outside (a command wrote the file): one edit, so that it can be undone.
      if (shown.model.getValue() !== file.text) {
        shown.model.pushEditOperations([], [{ range: shown.model.getFullModelRange(), text: file.text }], () => null);
      }
    },
    setOptions,
    setProblems(problems) {
      const model = view.getModel();
      if (!model) return;
      editor.setModelMarkers(
        model,
        'tabernetes',
        problems.map(({ startLine, startColumn, endLine, endColumn, severity, message }) => ({
          startLineNumber: startLine,
          startColumn,
          endLineNumber: endLine,
          endColumn,
          severity: severity === 'error' ? MarkerSeverity.Error : MarkerSeverity.Warning,
          message,
        })),
      );
    },
    setAnswers(answers) {
      decorations.set(
        answers.map(({ startLine, text, failed, warnings }) => {
          const tone = failed ? styles.failed : warnings.length > 0 ? styles.warned : styles.well;
          const first = text.split('\n')[0] ?? '';
          return {
            range: { startLineNumber: startLine, startColumn: 1, endLineNumber: startLine, endColumn: 1_000_000 },
            options: {
              glyphMarginClassName: `${styles.glyph} ${tone}`,
              glyphMarginHoverMessage: { value: [text, ...warnings].join('\n\n') },
              showIfCollapsed: true,
              after: {
                content: `  ${failed ? '✕' : '✓'} ${first.length > 80 ? `${first.slice(0, 79)}…` : first}`,
                inlineClassName: `${styles.inline} ${tone}`,
              },
            },
          };
        }),
      );
    },
    keep(files) {
      for (const [id, { model }] of models) {
        if (files.some((file) => file.id === id)) continue;
        models.delete(id);
        if (current === id) current = undefined;
        model.dispose();
      }
    },
    reveal(line) {
      view.setPosition({ lineNumber: line, column: 1 });
      view.revealLineInCenterIfOutsideViewport(line);
      view.focus();
    },
    focus: () => view.focus(),
    dispose() {
      view.dispose();
      for (const { model } of models.values()) model.dispose();
    },
  };
}
