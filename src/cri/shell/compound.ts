import type { CompoundCommand } from 'unbash';
import { evaluate } from './arithmetic.ts';
import { LoopJump } from './control-flow.ts';
import { arithmeticContext, expandFields, expandPattern, expandText } from './expansion.ts';
import { patternRegExp } from './pattern.ts';
import type { RunMode, Shell } from './shell.ts';
import { ShellError } from './shell-error.ts';
import { testExpression } from './test-command.ts';

/** Runs an if, a loop, a case, a group, a subshell or a test. */
export async function runCompound(shell: Shell, node: CompoundCommand, mode: RunMode): Promise<number> {
  const inside: RunMode = { condition: mode.condition };
  switch (node.type) {
    case 'If': {
      if ((await shell.runList(node.clause, { condition: true })) === 0) return shell.runList(node.then, mode);
      for (const branch of node.elif) {
        if ((await shell.runList(branch.clause, { condition: true })) === 0) return shell.runList(branch.then, mode);
      }
      return node.else ? shell.runList(node.else, mode) : 0;
    }
    case 'While': {
      let status = 0;
      await loop(shell, async () => {
        const holds = (await shell.runList(node.clause, { condition: true })) === 0;
        if (holds !== (node.kind === 'while')) return false;
        status = await shell.runList(node.body, inside);
        return true;
      });
      return status;
    }
    case 'For': {
      const values = node.wordlist ? await expandFields(node.wordlist, shell) : shell.positional;
      let next = 0;
      shell.lastStatus = 0;
      await loop(shell, async () => {
        if (next >= values.length) return false;
        shell.assign(node.name.value, values[next++] as string);
        await shell.runList(node.body, inside);
        return true;
      });
      return shell.lastStatus;
    }
    case 'ArithmeticFor': {
      const context = arithmeticContext(shell);
      let first = true;
      await evaluate(node.initialize, context);
      await loop(shell, async () => {
        if (!first) await evaluate(node.update, context);
        first = false;
        if (node.test && (await evaluate(node.test, context)) === 0n) return false;
        await shell.runList(node.body, inside);
        return true;
      });
      return shell.lastStatus;
    }
    case 'Case':
      return runCase(shell, node, mode);
    case 'BraceGroup':
      return shell.runList(node.body, mode);
    case 'Subshell': {
      const child = shell.fork((inner) => inner.runList(node.body, { last: true, condition: mode.condition }));
      return shell.inForeground(child.group, () => shell.waitFor(child));
    }
    case 'TestCommand':
      return (await testExpression(
        node.expression,
        shell.self,
        (word) => expandText(word, shell),
        (word) => expandPattern(word, shell),
      ))
        ? 0
        : 1;
    case 'ArithmeticCommand':
      return (await evaluate(node.expression, arithmeticContext(shell))) !== 0n ? 0 : 1;
    case 'Select':
      throw new ShellError('select is not emulated');
  }
}

async function runCase(shell: Shell, node: Extract<CompoundCommand, { type: 'Case' }>, mode: RunMode): Promise<number> {
  const subject = await expandText(node.word, shell);
  let falling = false;
  let status = 0;
  for (const item of node.items) {
    let matches = falling;
    for (const pattern of item.pattern) matches ||= patternRegExp(await expandPattern(pattern, shell)).test(subject);
    if (!matches) continue;
    status = await shell.runList(
      item.body,
      item.terminator === ';;' || !item.terminator ? mode : { condition: mode.condition },
    );
    if (item.body.commands.length === 0) status = 0;
    if (item.terminator !== ';&' && item.terminator !== ';;&') return status;
    falling = item.terminator === ';&';
  }
  return status;
}

/** Runs a body again and again while it answers true; `break` and `continue` reach it. */
async function loop(shell: Shell, body: () => Promise<boolean>): Promise<void> {
  shell.loopDepth++;
  try {
    for (;;) {
      const pause = shell.self.system.work();
      if (pause) await pause;
      try {
        if (!(await body())) return;
      } catch (error) {
        if (!(error instanceof LoopJump)) throw error;
        if (--error.depth > 0) throw error;
        if (error.kind === 'break') return;
      }
    }
  } finally {
    shell.loopDepth--;
  }
}
