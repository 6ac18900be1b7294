import type { Process } from '#base/pump.ts';
import { bodyStream, type HttpResponse, type Upgraded } from '#transport/http.ts';

/** What a process answers to somebody outside, cut off when the process exits: streams end, sockets close. */
export function cutBy<R extends HttpResponse | Upgraded>(process: Process, answer: R): R {
  if ('socket' in answer) {
    const { socket } = answer;
    const forget = process.onExit(() => socket.close(1006, 'connection reset by peer'));
    const onClose = socket.onClose.bind(socket);
    let told: ((code: number, reason: string) => void) | undefined;
    let closed: readonly [number, string] | undefined;
    onClose((code, reason) => {
      forget();
      closed = [code, reason];
      told?.(code, reason);
    });
    const watched = {
      send: (message: Uint8Array) => socket.send(message),
      close: (code?: number, reason?: string) => socket.close(code, reason),
      onMessage: (listener: (message: Uint8Array) => void) => socket.onMessage(listener),
      onClose(listener: (code: number, reason: string) => void) {
        told = listener;
        if (closed) listener(...closed);
      },
    };
    return { ...answer, socket: watched };
  }
  const { body } = answer;
  if (body instanceof Uint8Array) return answer;
  const { stream, push, end } = bodyStream(() => {
    forget();
    body.cancel();
  });
  const forget = process.onExit(() => {
    body.cancel();
    end();
  });
  body.start(push, () => {
    forget();
    end();
  });
  return { ...answer, body: stream };
}
