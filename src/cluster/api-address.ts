import type { ApiBackend, ApiList, ApiRequest, WatchHandle, WatchSink } from '#apimachinery/api-request.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { ProcessExitedError } from '#base/pump.ts';
import type { HttpResponse, Upgraded } from '#transport/http.ts';

/**
 * Where clients find the API server: the address, not the server. It leads to the one that runs now; while none does,
 * connections are refused (ProcessExitedError).
 */
export class ApiAddress implements ApiBackend {
  readonly #current: () => ApiBackend | undefined;

  constructor(current: () => ApiBackend | undefined) {
    this.#current = current;
  }

  async request(request: ApiRequest): Promise<ApiObject> {
    return this.#dial().request(request);
  }

  async list(request: ApiRequest): Promise<ApiList> {
    return this.#dial().list(request);
  }

  async deleteCollection(request: ApiRequest): Promise<ApiList> {
    return this.#dial().deleteCollection(request);
  }

  async watch(request: ApiRequest, sink: WatchSink): Promise<WatchHandle> {
    return this.#dial().watch(request, sink);
  }

  async connect(request: ApiRequest): Promise<HttpResponse | Upgraded> {
    return this.#dial().connect(request);
  }

  #dial(): ApiBackend {
    const backend = this.#current();
    if (!backend) throw new ProcessExitedError('dial tcp: connect: connection refused');
    return backend;
  }
}
