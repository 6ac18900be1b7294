import type { Latency } from '#base/latency.ts';
import type { Process } from '#base/pump.ts';
import type { Image, Registry } from './registry.ts';
import { canonicalName, parseReference } from './reference.ts';

/** The images of one node, as CRI's ImageService. */
export class ImageStore {
  readonly #process: Process;
  readonly #registry: Registry;
  readonly #latency: Latency;
  readonly #images = new Map<string, Image>();

  /** `images` are there from the start. */
  constructor(process: Process, registry: Registry, latency: Latency, images: readonly Image[] = []) {
    this.#process = process;
    this.#registry = registry;
    this.#latency = latency;
    for (const image of images) this.#images.set(image.name, image);
  }

  /** The image of a name (or id), if it is on the node. */
  status(name: string): Image | undefined {
    const known = this.#images.get(name);
    if (known || name.startsWith('sha256:')) return known ?? this.list().find((image) => image.id === name);
    try {
      return this.#images.get(canonicalName(parseReference(name)));
    } catch {
      return undefined;
    }
  }

  /** In the order in which they were pulled. */
  list(): readonly Image[] {
    return [...this.#images.values()];
  }

  /**
   * Asks the registry for a name and fetches what is not there yet; parks the calling task. Credentials are not looked
   * at. Throws CriError.
   */
  pull(name: string): Promise<Image> {
    return this.#process.call(`pull ${name}`, async () => {
      const { clock, rng } = this.#process;
      const asking = this.#latency.sample('image-resolve', rng);
      if (asking > 0) await clock.sleep(asking);
      const image = this.#registry.resolve(name);
      if (!this.#images.has(image.name)) {
        const fetching = this.#latency.pull(image.sizeBytes, rng);
        if (fetching > 0) await clock.sleep(fetching);
        this.#images.set(image.name, image);
      }
      return image;
    });
  }

  remove(name: string): void {
    const image = this.status(name);
    if (image) this.#images.delete(image.name);
  }
}
