import type { CancelSignal } from '#transport/http.ts';
import { Check, PencilLine } from 'lucide-react';
import { create } from 'zustand';
import { Button } from '../../components/button.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { enterPane, usePanes } from '../../session/panes.ts';
import { useEditor } from './editor-store.ts';
import styles from './editor.module.css';

/** Commands that wait for a text, by its file. */
const useRequests = create<{ readonly waiting: ReadonlyMap<number, (save: boolean) => void> }>(() => ({
  waiting: new Map(),
}));

/**
 * Opens a text as a tab of the editor and resolves with what it is when the person saves it; undefined when they cancel,
 * close the tab, or interrupt the command. The keyboard goes into the editor, and back to where it came from.
 */
export function requestEdit(text: string, name: string, signal?: CancelSignal): Promise<string | undefined> {
  if (signal?.aborted) return Promise.resolve(undefined);
  const from = usePanes.getState().active;
  const id = useEditor.getState().addRequest(name, text);
  enterPane('editor');
  return new Promise((resolve) => {
    const find = () => useEditor.getState().files.find((file) => file.id === id);
    const finish = (save: boolean) => {
      const result = save ? find()?.text : undefined;
      useRequests.setState(({ waiting }) => ({ waiting: new Map([...waiting].filter(([file]) => file !== id)) }));
      stop();
      useEditor.getState().close(id);
      resolve(result);
      if (usePanes.getState().active === 'editor') enterPane(from);
    };
    const stop = useEditor.subscribe(() => {
      if (!find()) finish(false);
    });
    useRequests.setState(({ waiting }) => ({ waiting: new Map([...waiting, [id, finish]]) }));
    signal?.addEventListener('abort', () => {
      if (useRequests.getState().waiting.has(id)) finish(false);
    });
  });
}

/** Saves the text that is open for the command that waits for it; false when none does. */
export function saveRequest(): boolean {
  const finish = useRequests.getState().waiting.get(useEditor.getState().active);
  finish?.(true);
  return finish !== undefined;
}

/** Above a text that a command waits for: what it is, and the two ways on. */
export function EditRequestBar() {
  const t = useTranslate();
  const active = useEditor((state) => state.active);
  const finish = useRequests((state) => state.waiting.get(active));
  if (!finish) return null;
  return (
    <div className={styles.request} role="group" aria-label={t('editor.waiting')}>
      <PencilLine aria-hidden="true" />
      <span>{t('editor.waiting')}</span>
      <Button onClick={() => finish(false)}>{t('confirm.cancel')}</Button>
      <Button look="primary" onClick={() => finish(true)} title="Ctrl+Enter">
        <Check aria-hidden="true" />
        {t('editor.saveAndClose')}
      </Button>
    </div>
  );
}
