import { ConnectionFailedError, type HttpServer } from '#transport/http.ts';
import { ConnectionError } from './errors.ts';

/** The server of a URL: when nobody answers there, that is told as kubectl tells it. */
export function reach(server: HttpServer, url: string): HttpServer {
  const host = /^\w+:\/\/([^/]+)/.exec(url)?.[1] ?? url;
  const fail = (error: unknown): never => {
    throw error instanceof ConnectionFailedError ? new ConnectionError(host, error.reason) : error;
  };
  return {
    handle: (request) => server.handle(request).catch(fail),
    upgrade: (request) => server.upgrade(request).catch(fail),
  };
}
