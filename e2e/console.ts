import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, realpathSync, existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** The real kubectl v1.33: `KUBECTL_1_33`, or the one that lies beside the kubectl on PATH. */
export function realKubectl(): string | undefined {
  if (process.env.KUBECTL_1_33) return process.env.KUBECTL_1_33;
  const found = spawnSync('bash', ['-c', 'command -v kubectl'], { encoding: 'utf8' }).stdout.trim();
  const beside = found && path.join(path.dirname(realpathSync(found)), 'kubectl.1.33');
  return beside && existsSync(beside) ? beside : undefined;
}

export const ourKubectl = path.resolve('tools/kubectl');

interface Step {
  /** `$`: output and exit code count; `!`: only what it does counts. */
  readonly mode: string;
  readonly input: string[];
  readonly output: string[];
}

/** A console file: commands after `$` or `!`, their further lines after `>`, and what they print. */
function parse(text: string): readonly Step[] {
  const steps: Step[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const [, mode, first = ''] = /^([$!]) (.*)$/.exec(line) ?? [];
    const step = steps.at(-1);
    if (mode) steps.push({ mode, input: [first], output: [] });
    else if (/^> |^>$/.test(line)) step?.input.push(line.slice(2));
    else step?.output.push(line);
  }
  return steps;
}

/** What only chance or the clock decides is blotted out. */
const normalise = (text: string): string =>
  text
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<UID>')
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<TIME>')
    .replace(/-[bcdf4-9]{6,10}(-[bcdfghjklmnpqrstvwxz2-9]{5})?\b/g, '-<HASH>')
    .replace(/(?<=-hash[=:] ?"?)[bcdf4-9]{6,10}/g, '<HASH>')
    .replace(/\b10\.\d+\.\d+\.\d+\b/g, '<IP>')
    .replace(/(resourceVersion"?: "?)\d+/g, '$1<VERSION>')
    .replace(/(?<=[\s(])(\d+m)?\d+s(?=[\s),]|$)/gm, '<AGE>')
    .replace(/ {2,}/g, '  ')
    .replace(/ +$/gm, '')
    .trimEnd();

/**
 * Plays a console file with a kubectl, in a namespace of its own; gives the file as it would read had this run been
 * recorded, and as it reads.
 */
export function play(file: string, kubectl: string, kubeconfig: string): { readonly was: string; readonly is: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'console-'));
  writeFileSync(path.join(folder, 'kubectl'), `#!/bin/bash\nexec -a kubectl ${kubectl} "$@"\n`);
  chmodSync(path.join(folder, 'kubectl'), 0o755);
  const config = path.join(folder, 'config');
  copyFileSync(kubeconfig, config);
  const env = {
    ...process.env,
    PATH: `${folder}:${process.env.PATH}`,
    KUBECONFIG: config,
    KUBECACHEDIR: path.join(folder, 'cache'),
    KUBECTL_KUBERC: 'false',
  };
  const run = (command: string) => {
    const { status, stdout, stderr } = spawnSync('bash', ['-c', command], {
      cwd: folder,
      env,
      encoding: 'utf8',
      timeout: 60_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return normalise(stdout + stderr) + (status ? `\n[exit ${status}]` : '');
  };
  const name = path.basename(file, '.console');
  const text = readFileSync(file, 'utf8');
  run(`kubectl create namespace ${name} && kubectl config set-context --current --namespace=${name}`);
  run('until kubectl get serviceaccount default; do sleep 0.2; done');
  const lines = parse(text).flatMap(({ mode, input }) => {
    const said = run(input.join('\n'));
    const [first = '', ...rest] = input;
    return [`${mode} ${first}`, ...rest.map((line) => `> ${line}`.trimEnd()), ...(mode === '$' && said ? [said] : [])];
  });
  run(`kubectl delete namespace ${name} --timeout=60s`);
  return { was: text.trimEnd(), is: lines.join('\n') };
}
