import { describe, expect, test } from 'vitest';
import { createMachine } from '#testing/machine.ts';

/** Runs a script as PID 1 of busybox: its whole output (both streams), its exit code, and how long it took in seconds. */
async function runScript(script: string, image = 'busybox', args: readonly string[] = []) {
  const machine = createMachine();
  const start = machine.pump.now;
  const id = await machine.run(() => machine.startContainer(image, { command: ['sh', '-c', script, ...args] }));
  await machine.pump.run({ until: start + 3_600_000 });
  const status = machine.runtime.containerStatus(id);
  return {
    out: machine.logOf(id),
    exit: status?.state === 'Exited' ? status.exitCode : undefined,
    seconds: status?.state === 'Exited' ? (status.finishedAt - start) / 1000 : undefined,
  };
}

type Case = readonly [script: string, out: string, exit?: number, seconds?: number];

function check(name: string, cases: readonly Case[]) {
  describe(name, () => {
    for (const [script, out, exit = 0, seconds = 0] of cases) {
      test(script, async () => expect(await runScript(script)).toEqual({ out, exit, seconds }));
    }
  });
}

check('commands and lists', [
  ['echo hello', 'hello\n'],
  ['echo a; echo b && echo c || echo d', 'a\nb\nc\n'],
  ['false && echo no; echo $?', '1\n'],
  ['false || echo yes', 'yes\n'],
  ['! true; echo $?', '1\n'],
  ['foo', 'sh: foo: not found\n', 127],
  ['/no/such', 'sh: /no/such: not found\n', 127],
  ['exit 3', '', 3],
  ['(exit 4); echo $?', '4\n'],
  ['{ echo a; echo b; } | wc -l', '2\n'],
  ['echo "unterminated', 'sh: syntax error: unterminated double quote\n', 2],
  ['cd /tmp; pwd; cd -; pwd', '/tmp\n/\n/\n'],
  ['cd /nope', "sh: cd: can't cd to /nope: No such file or directory\n", 2],
  ['sleep 2; echo done', 'done\n', 0, 2],
  ['echo -n a; echo -e "b\\tc"', 'ab\tc\n'],
  ['printf "%s=%d\\n" a 1 b 2', 'a=1\nb=2\n'],
  ['printf "%05.1f|%-4s|%x\\n" 3.14159 ab 255', '003.1|ab  |ff\n'],
]);

check('variables and expansions', [
  ['x=1; y="$x 2"; echo $y ${y} "${y}"', '1 2 1 2 1 2\n'],
  ['echo ${u:-default} ${u:=set} $u ${u:+other} ${#u}', 'default set set other 3\n'],
  ['echo ${u?gone}; echo not reached', 'sh: u: gone\n', 2],
  ['p=/a/b/c.tar.gz; echo ${p##*/} ${p#*/} ${p%.*} ${p%%.*}', 'c.tar.gz a/b/c.tar.gz /a/b/c.tar /a/b/c\n'],
  ['s=abcabc; echo ${s/b/X} ${s//b/X} ${s:1:3}', 'aXcabc aXcaXc bca\n'],
  ['x=5; echo $((x * 2 + 1)) $((x > 3 && 1)) $(( (1+2)**3 )) $((x++)) $x', '11 1 27 5 6\n'],
  ['echo $((1/0))', 'sh: divide by zero\n', 2],
  ['echo $(echo a; echo b) `echo c`', 'a b c\n'],
  ['x="a  b"; echo $x; echo "$x"', 'a b\na  b\n'],
  ['echo \'$x\' "\\$x" a\\ b', '$x $x a b\n'],
  ['IFS=:; x=a:b::c; set -- $x; echo $#', '4\n'],
  ['set -- "a b" c; for x in "$@"; do echo "<$x>"; done; echo $# "$*"', '<a b>\n<c>\n2 a b c\n'],
  ['set --; for x in "$@"; do echo never; done; echo end', 'end\n'],
  ['A=1 env | grep ^A=; echo "[$A]"', 'A=1\n[]\n'],
  ['export B=2; sh -c "echo \\$B"', '2\n'],
  ['f() { local x=in; echo $x; }; x=out; f; echo $x', 'in\nout\n'],
  ['cd /tmp; touch b.txt a.txt .h; echo *.txt *.none "*.txt"', 'a.txt b.txt *.none *.txt\n'],
  ['echo ~ $HOME {a,b}', '/root /root {a,b}\n'],
  ['set -u; echo $nope', 'sh: nope: parameter not set\n', 2],
  ['echo $0 $1 $$', 'sh 1\n'],
  ['x=; echo "${x:-a}" "${x-b}"', 'a \n'],
]);

check('control flow', [
  ['for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done', '1\n3\n'],
  ['i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; done', '1\n2\n3\n'],
  ['until false; do echo once; break; done', 'once\n'],
  ['if [ -d /etc ]; then echo dir; elif true; then echo no; else echo no; fi', 'dir\n'],
  ['case foobar in foo*) echo yes;; *) echo no;; esac', 'yes\n'],
  ['case x in a|b) echo no;; "x") echo quoted;; esac', 'quoted\n'],
  ['f() { echo "f $1"; return 7; }; f a; echo $?', 'f a\n7\n'],
  ['set -e; false; echo not reached', '', 1],
  ['set -e; if false; then :; fi; false || true; echo reached', 'reached\n'],
  ['for i in $(seq 3); do for j in 1 2; do [ $j = 2 ] && continue 2; echo $i$j; done; done', '11\n21\n31\n'],
  ['while true; do echo tick; sleep 10; done & sleep 25; kill $!; wait $!; echo $?', 'tick\ntick\ntick\n143\n', 0, 25],
  ['[ 1 -lt x ]', 'sh: x: bad number\n', 2],
  ['[[ abc == a* && -f /etc/passwd ]] && echo both', 'both\n'],
]);

check('redirections and pipes', [
  ['echo a > /tmp/x; echo b >> /tmp/x; cat /tmp/x; cat < /tmp/x | tail -n 1', 'a\nb\nb\n'],
  ['echo out; echo err >&2', 'out\nerr\n'],
  ['ls /nope 2>/dev/null; echo $?', '1\n'],
  ['ls /nope 2>&1 | grep -c "No such"', '1\n'],
  ['cat <<E\nhi $((1+1))\nE', 'hi 2\n'],
  ["cat <<'E'\nhi $x\nE", 'hi $x\n'],
  ['cat <<-E\n\t\ttabs\n\tE', 'tabs\n'],
  ['echo x > /nope/y', "sh: can't create /nope/y: nonexistent directory\n", 1],
  ['cat < /nope', "sh: can't open /nope: no such file\n", 1],
  ['yes | head -n 2', 'y\ny\n'],
  ['(sleep 3; echo late) | cat', 'late\n', 0, 3],
  ['sleep 2 | sleep 3', '', 0, 3],
  ['echo a b c | while read x y; do echo "$y-$x"; done', 'b c-a\n'],
  ['printf "1\\n2\\n" | { read a; read b; echo $b$a; }', '21\n'],
  ['exec > /tmp/log; echo hidden; exec >&2; cat /tmp/log', 'hidden\n'],
  ['echo a | tee /tmp/t | cat; cat /tmp/t', 'a\na\n'],
  ['echo data > /dev/null; echo shown > /dev/stdout; echo one > /proc/1/fd/1', 'shown\none\n'],
]);

check('signals and jobs', [
  ['trap "echo bye" EXIT; echo hi', 'hi\nbye\n'],
  ['trap "echo caught; exit 5" TERM; kill $$; echo not reached', 'caught\n', 5],
  ['trap "echo usr" USR1; (sleep 1; kill -USR1 1) & sleep 3; echo end', 'usr\nend\n', 0, 3],
  ['trap "echo stop; exit 0" TERM; (sleep 1; kill 1) & sleep 100 & wait $!; echo no', 'stop\n', 0, 1],
  ['kill -9 1; echo PID 1 is spared', 'PID 1 is spared\n'],
  ['sleep 5 & sleep 2; wait; echo all', 'all\n', 0, 5],
  ['sh -c "exit 9" & wait $!; echo $?', '9\n'],
  ['sh -c "kill -9 \\$\\$"; echo $?', 'Killed\n137\n'],
  ['timeout 2 sleep 10; echo $?', '143\n', 0, 2],
  ['ps -o pid,args; true', 'PID   COMMAND\n    1 sh -c ps -o pid,args; true\n    2 ps -o pid,args\n'],
]);

check('applets', [
  ['printf "b\\na\\nc\\n" | sort -r | head -n 2', 'c\nb\n'],
  ['printf "10\\n9\\n" | sort -n | uniq -c', '      1 9\n      1 10\n'],
  ['echo a:b:c | cut -d: -f1,3', 'a:c\n'],
  ['echo hello | tr a-y b-z', 'ifmmp\n'],
  ['echo "a b" | sed -e "s/\\(a\\) \\(b\\)/\\2 \\1/" -e "s/a/X/"', 'b X\n'],
  ['seq 5 | sed -n "2,3p;\\$p"', '2\n3\n5\n'],
  ['seq 3 | sed "2d"', '1\n3\n'],
  ['echo x | sed "e ls"', "sed: command 'e' is not emulated\n", 1],
  ['printf "foo\\nbar\\n" | grep -n -v foo', '2:bar\n'],
  ['echo abc123 | grep -oE "[0-9]+"', '123\n'],
  ['echo foo | grep -q bar; echo $?', '1\n'],
  [
    'mkdir -p /tmp/a/b; touch /tmp/a/b/c; find /tmp/a -type f; rm -r /tmp/a; ls /tmp/a',
    '/tmp/a/b/c\nls: /tmp/a: No such file or directory\n',
    1,
  ],
  [
    'echo content > /tmp/f; cp /tmp/f /tmp/g; mv /tmp/g /tmp/h; cat /tmp/h; rm /tmp/g',
    "content\nrm: can't remove '/tmp/g': No such file or directory\n",
    1,
  ],
  ['cat /nope', "cat: can't open '/nope': No such file or directory\n", 1],
  ['date +%F_%T; sleep 61; date -u', '2025-11-22_12:00:00\nSat Nov 22 12:01:01 UTC 2025\n', 0, 61],
  ['hostname; hostname -i; whoami; id -u', 'pod-1\n10.244.1.2\nroot\n0\n'],
  ['which sh nope; echo $?', '/bin/sh\n1\n'],
  ['echo "1 2 3" | xargs -n 1 echo n', 'n 1\nn 2\nn 3\n'],
  ['wget -qO- http://127.0.0.1:81/', "wget: can't connect to remote host (127.0.0.1): Connection refused\n", 1],
  ['wget -qO- http://nowhere/', "wget: bad address 'nowhere'\n", 1],
  [
    'ls --color=auto -Z',
    "ls: invalid option -- 'Z'\nBusyBox v1.37.0 (2024-09-26 21:31:42 UTC) multi-call binary.\n\nUsage: ls [-1AaCxdLHRFplinshrSXvctuk] [FILE]...\n",
    1,
  ],
  ['awk 1', 'awk: not emulated in this cluster\n', 127],
  ['echo hi | nc 127.0.0.1 9', 'nc: 127.0.0.1 (127.0.0.1:9): Connection refused\n', 1],
  [
    '(echo pong | nc -l -p 99 > /tmp/got) & sleep 1; echo ping | nc 127.0.0.1 99; wait; cat /tmp/got',
    'pong\nping\n',
    0,
    1,
  ],
  ['touch /tmp/l; (sleep 1; echo more >> /tmp/l) & timeout 2 tail -f /tmp/l', 'more\n', 143, 2],
  ['expr 3 + 4; basename /a/b.c .c; dirname /a/b.c', '7\nb\n/a\n'],
  ['ping -c 1 -W 2 10.244.1.77 | tail -n 1', '1 packets transmitted, 0 packets received, 100% packet loss\n', 0, 2],
]);

test('a busy loop takes virtual time and does not hang the engine', async () => {
  const machine = createMachine();
  const id = await machine.run(() =>
    machine.startContainer('busybox', { command: ['sh', '-c', 'while true; do :; done'] }),
  );
  await machine.pump.run({ until: machine.pump.now + 100 });
  expect(machine.runtime.containerStatus(id)?.state).toBe('Running');
});

test('output streams as it comes', async () => {
  const machine = createMachine();
  const id = await machine.run(() =>
    machine.startContainer('busybox', {
      command: ['sh', '-c', 'i=0; while true; do echo $i; i=$((i+1)); sleep 1; done'],
    }),
  );
  await machine.pump.run({ until: machine.pump.now + 2500 });
  expect(machine.logOf(id)).toBe('0\n1\n2\n');
});

test('bash and dash word things their own way', async () => {
  expect(await runScript('foo', 'nginx')).toMatchObject({ out: 'sh: 1: foo: not found\n', exit: 127 });
  expect(await runScript('bash -c "foo; echo {a,b}{1..3}"', 'nginx')).toMatchObject({
    out: 'bash: line 1: foo: command not found\na1 a2 a3 b1 b2 b3\n',
  });
});
