import { BookOpen, CircleCheck, CircleX, FilePlus2, X } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { PODS } from '../../cluster-store/kube-object.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { Menu, MenuItem, MenuSeparator } from '../../components/menu.tsx';
import menu from '../../components/menu.module.css';
import { Pane } from '../../components/pane.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { currentNamespace } from '../../session/kubectl-session.ts';
import { useSelection } from '../../session/session.ts';
import { EDITOR_PANEL, EditorText, revealLine } from './editor-text.tsx';
import { EditRequestBar, saveRequest } from './edit-request.tsx';
import { freeName, keepFiles, useEditor, type Answer, type EditorFile } from './editor-store.ts';
import { EXAMPLE_GROUPS } from './examples.ts';
import styles from './editor.module.css';

/** Manifests: several files, what is wrong with them, and the server's answers. */
export function EditorPane() {
  const t = useTranslate();
  const select = useSelection((state) => state.select);
  const [busy, setBusy] = useState(false);
  useEffect(keepFiles, []);

  const isRequest = useEditor((state) => state.files.find((file) => file.id === state.active)?.isRequest);

  const send = async (verb: Answer['verb']) => {
    const { files, active, answer } = useEditor.getState();
    const file = files.find((candidate) => candidate.id === active);
    if (!file || busy) return;
    setBusy(true);
    answer(file.id, undefined);
    try {
      const { applyDocuments } = await import('./apply.ts');
      // Of many documents, the answers so far are shown a few times a second.
      let shown = 0;
      const answers = await applyDocuments(verb, file.name, file.text, (told) => {
        if (performance.now() - shown < TELL_MS) return;
        answer(file.id, told);
        shown = performance.now();
      });
      answer(file.id, answers);
      const [only] = answers;
      const pod =
        answers.length === 1 && verb === 'apply' && !only?.failed && /^pod\/(\S+) created/.exec(only?.text ?? '')?.[1];
      // The first Pod: how it comes to be is what there is to see.
      if (pod)
        select(
          {
            type: 'object',
            resource: PODS,
            namespace: namespaceOf(file.text) ?? (await currentNamespace()),
            name: pod,
          },
          'flow',
        );
    } finally {
      setBusy(false);
    }
  };

  const tools = (
    <>
      <Examples />
      {!isRequest && (
        <>
          <Button disabled={busy} onClick={() => void send('delete')} title={t('editor.deleteHint')}>
            {t('editor.delete')}
          </Button>
          <Button look="primary" disabled={busy} onClick={() => void send('apply')} title={t('editor.applyHint')}>
            {t('editor.apply')}
          </Button>
        </>
      )}
    </>
  );
  return (
    <Pane id="editor" tools={tools}>
      <Files />
      <EditRequestBar />
      <EditorText onApply={() => saveRequest() || void send('apply')} />
      <Answers />
    </Pane>
  );
}

const TELL_MS = 150;

/** A name for a new file. */
const newFileName = () =>
  freeName(
    'new.yaml',
    useEditor.getState().files.map((file) => file.name),
  );

/** The namespace that a manifest names. */
const namespaceOf = (text: string) => /^ {2}namespace:\s*["']?([\w-]+)/m.exec(text)?.[1];

function Examples() {
  const t = useTranslate();
  const add = useEditor((state) => state.add);
  const closed = useEditor((state) => state.closed);
  const reopen = useEditor((state) => state.reopen);
  return (
    <Menu
      trigger={
        <IconButton label={t('editor.examples')}>
          <BookOpen />
        </IconButton>
      }
    >
      <DropdownMenu.Item asChild onSelect={() => add(newFileName())}>
        <MenuItem icon={<FilePlus2 />}>{t('editor.new')}</MenuItem>
      </DropdownMenu.Item>
      <MenuSeparator />
      {EXAMPLE_GROUPS.map(({ title: group, examples }) => (
        <DropdownMenu.Group key={group} aria-label={t(group)}>
          <DropdownMenu.Label className={menu.label}>{t(group)}</DropdownMenu.Label>
          {examples.map(({ file, title, about, text }) => {
            const name = typeof title === 'string' ? title : t(title.key);
            return (
              <DropdownMenu.Item key={file} asChild textValue={name} onSelect={() => add(file, text)}>
                <MenuItem>
                  <span className={styles.example}>
                    {name}
                    <small>{t(about)}</small>
                  </span>
                </MenuItem>
              </DropdownMenu.Item>
            );
          })}
        </DropdownMenu.Group>
      ))}
      {closed.length > 0 && (
        <>
          <MenuSeparator />
          <DropdownMenu.Label className={menu.label}>{t('editor.closed')}</DropdownMenu.Label>
          {[...closed].reverse().map((file) => (
            <DropdownMenu.Item key={file.id} asChild onSelect={() => reopen(file.id)}>
              <MenuItem>{file.name}</MenuItem>
            </DropdownMenu.Item>
          ))}
        </>
      )}
    </Menu>
  );
}

function Files() {
  const t = useTranslate();
  const { files, active, open, add } = useEditor();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const at = files.findIndex((file) => file.id === active);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: files.length - 1 }[event.key];
    const file = next === undefined ? undefined : files[(next + files.length) % files.length];
    if (!file || (event.target as HTMLElement).tagName === 'INPUT') return;
    event.preventDefault();
    open(file.id);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  };
  useEffect(() => {
    list.current?.querySelector('[data-active]')?.scrollIntoView({ inline: 'nearest', block: 'nearest' });
  }, [active]);
  return (
    <div className={styles.files}>
      <div className={styles.tabs} role="tablist" aria-label={t('editor.files')} ref={list} onKeyDown={onKeyDown}>
        {files.map((file) => (
          <FileTab key={file.id} file={file} active={file.id === active} />
        ))}
      </div>
      <IconButton label={t('editor.new')} onClick={() => add(newFileName())}>
        <FilePlus2 />
      </IconButton>
    </div>
  );
}

function FileTab({ file, active }: { readonly file: EditorFile; readonly active: boolean }) {
  const t = useTranslate();
  const { open, rename, close } = useEditor();
  const answers = useEditor((state) => state.answers.get(file.id));
  const [naming, setNaming] = useState(false);
  const end = (name: string | undefined) => {
    if (name !== undefined && name.trim() && !rename(file.id, name)) return;
    setNaming(false);
  };
  return (
    <div className={styles.tab} data-active={active || undefined} role="presentation">
      {naming ? (
        <input
          autoFocus
          aria-label={t('editor.rename', { name: file.name })}
          defaultValue={file.name}
          onFocus={({ target }) => target.setSelectionRange(0, Math.max(0, file.name.lastIndexOf('.')))}
          onBlur={({ target }) => {
            rename(file.id, target.value);
            setNaming(false);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') end(event.currentTarget.value);
            else if (event.key === 'Escape') setNaming(false);
          }}
        />
      ) : (
        <button
          type="button"
          role="tab"
          aria-selected={active}
          aria-controls={EDITOR_PANEL}
          tabIndex={active ? 0 : -1}
          title={t('editor.tabHint')}
          onClick={() => open(file.id)}
          onDoubleClick={() => setNaming(true)}
          onKeyDown={(event) => {
            if (event.key === 'F2') setNaming(true);
          }}
        >
          {file.name}
          {answers && answers.length > 0 && (
            <i className={styles.mark} data-failed={answers.some((answer) => answer.failed) || undefined} />
          )}
        </button>
      )}
      {active && !naming && (
        <button
          type="button"
          className={styles.close}
          aria-label={t('editor.close', { name: file.name })}
          title={t('editor.close', { name: file.name })}
          onClick={() => close(file.id)}
        >
          <X />
        </button>
      )}
    </div>
  );
}

/** The server's answer to each document, in full. */
function Answers() {
  const t = useTranslate();
  const active = useEditor((state) => state.active);
  const answers = useEditor((state) => state.answers.get(state.active));
  const answer = useEditor((state) => state.answer);
  return (
    <div role="status" aria-label={t('editor.answers')} className={answers?.length ? styles.answers : undefined}>
      {answers && answers.length > 0 && (
        <>
          <div className={styles.answersHead}>
            {t('editor.answers')}
            <IconButton label={t('editor.dismiss')} onClick={() => answer(active, undefined)}>
              <X />
            </IconButton>
          </div>
          {answers.map((item, at) => (
            <button
              key={at}
              type="button"
              className={styles.answer}
              data-failed={item.failed || undefined}
              onClick={() => revealLine(item.problems[0]?.startLine ?? item.startLine)}
            >
              {item.failed ? <CircleX aria-hidden="true" /> : <CircleCheck aria-hidden="true" />}
              <code>{item.text}</code>
              <small>{t('editor.line', { line: item.problems[0]?.startLine ?? item.startLine })}</small>
              {item.warnings.map((warning) => (
                <em key={warning}>{`Warning: ${warning}`}</em>
              ))}
            </button>
          ))}
        </>
      )}
    </div>
  );
}
