import { afterEach, expect, test } from 'vitest';
import { Driver } from '#hosts/driver.ts';
import { nodeWall } from '#hosts/node/wall.ts';
import type { OutsideCall } from './outside-program.ts';
import { Terminal } from './terminal.ts';

const text = (value: string) => new TextEncoder().encode(value);
let driver: Driver | undefined;
afterEach(() => driver?.stop());

/** A terminal with a program `ctl`, and a user who types and waits for words on the screen. */
function open(ctl: (call: OutsideCall) => Promise<number>) {
  let screen = '';
  const terminal = new Terminal({
    programs: { ctl },
    epoch: 0,
    complete: async (before) => (before.startsWith('ctl g') ? { word: 'g', candidates: ['get'] } : undefined),
    onOutput: (bytes) => {
      screen += new TextDecoder().decode(bytes);
    },
  });
  driver = new Driver(terminal.pump, nodeWall);
  const seen = async (words: string) => {
    const end = performance.now() + 3000;
    while (!screen.includes(words)) {
      if (performance.now() > end)
        throw new Error(`${JSON.stringify(words)} did not come; the screen says:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    screen = screen.slice(screen.indexOf(words) + words.length);
  };
  const type = (keys: string) => terminal.type(text(keys));
  return { terminal, seen, type, screen: () => screen };
}

test('programs from outside stream through pipes and redirects, with files and here-documents', async () => {
  const { terminal, seen, type } = open(async ({ args, stdin, stdout, directory }) => {
    if (args[0] === 'cat') {
      for (let bytes = await stdin.read(); bytes; bytes = await stdin.read()) stdout.write(bytes);
      return 0;
    }
    stdout.write(`one ${directory}\n`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    stdout.write('two\n');
    return 3;
  });
  await seen('~ $ ');
  type('ctl | grep two\r');
  await seen('\r\ntwo\r\n~ $ ');
  type('ctl > out; echo code $?; wc -l < out\r');
  await seen('code 3\r\n2\r\n');
  type('ctl cat <<E\r');
  await seen('> ');
  type('from here\rE\r');
  await seen('from here\r\n~ $ ');
  expect(new TextDecoder().decode(await terminal.files.readFile('/root/out'))).toBe('one /root\ntwo\n');
});

test('^C ends what runs and tells the program; the shell goes on', async () => {
  let stopped = false;
  const { seen, type } = open(({ signal, stdout }) => {
    stdout.write('waiting\n');
    return new Promise(() => signal.addEventListener('abort', () => (stopped = true)));
  });
  await seen('~ $ ');
  type('ctl\r');
  await seen('waiting');
  type('\x03');
  await seen('~ $ ');
  expect(stopped).toBe(true);
  type('echo still here\r');
  await seen('\r\nstill here');
});

test('raw keys reach a program that asks for them; Tab completes; exit logs in anew', async () => {
  const { seen, type } = open(async ({ args, stdin, stdout }) => {
    stdin.setRaw?.(true);
    stdout.write(`ready ${args.join()} `);
    const key = await stdin.read();
    stdin.setRaw?.(false);
    stdout.write(`key ${key?.[0]}\n`);
    return 0;
  });
  await seen('~ $ ');
  type('ctl g\t\r');
  await seen('ready get ');
  type('\x03');
  await seen('key 3');
  await seen('~ $ ');
  type('exit\r');
  await seen('~ $ ');
});

test('what is typed while a program runs is the next line, also when it was only begun', async () => {
  let end = () => {};
  const { seen, type } = open(({ stdout }) => {
    stdout.write('busy\n');
    return new Promise((resolve) => {
      end = () => resolve(0);
    });
  });
  await seen('~ $ ');
  type('ctl\r');
  await seen('busy');
  type('echo half');
  await seen('echo half');
  end();
  await seen('~ $ ');
  type(' and half\r');
  await seen('\r\nhalf and half\r\n');
});
