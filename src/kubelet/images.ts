import type { Container, Pod } from '#api/generated/types.ts';
import type { SpanId } from '#base/tracer.ts';
import type { ImageService } from '#cri/contract.ts';
import { CriError } from '#cri/cri-error.ts';
import type { Image } from '#cri/registry.ts';
import { parseReference, ReferenceError } from '#cri/reference.ts';
import { CrashBackoff, goDuration } from './crash-backoff.ts';
import { containerFieldPath, type KubeletContext } from './kubelet-context.ts';

/** An image that a container cannot have now. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  /** `ErrImagePull`, `ImagePullBackOff`, `InvalidImageName`, `ErrImageNeverPull` */
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Sees to it that containers' images are on the node: one pull after the other, with a back-off for each Pod and image.
 * Follows pkg/kubelet/images/image_manager.go, v1.33. Pull secrets are not looked at.
 */
export class ImagePuller {
  readonly #context: KubeletContext;
  readonly #images: ImageService;
  readonly #backoff = new CrashBackoff();
  readonly #lastErrors = new Map<string, string>();
  /** Those who wait for their turn. */
  readonly #turns: (() => void)[] = [];
  #busy = false;

  constructor(context: KubeletContext, images: ImageService) {
    this.#context = context;
    this.#images = images;
  }

  /** The image; parks the calling task while it is pulled. Throws {@link ImageError}. */
  async ensure(
    pod: Pod,
    container: Pick<Container, 'name' | 'image' | 'imagePullPolicy'>,
    cause: SpanId,
  ): Promise<Image> {
    const { image: asked = '', imagePullPolicy: policy } = container;
    const path = containerFieldPath(pod, container.name);
    const event = (type: 'Normal' | 'Warning', reason: string, message: string) =>
      this.#context.podEvent(pod, type, reason, message, cause, path);
    let name: string;
    try {
      name = withTag(asked);
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      const message = `Failed to apply default image tag "${asked}": couldn't parse image name "${asked}": ${error.message}`;
      event('Warning', 'InspectFailed', message);
      throw new ImageError('InvalidImageName', message);
    }
    const present = this.#images.status(name);
    if (present && policy !== 'Always') {
      event('Normal', 'Pulled', `Container image "${asked}" already present on machine`);
      return present;
    }
    if (policy === 'Never') {
      const message = `Container image "${asked}" is not present with pull policy of Never`;
      event('Warning', 'ErrImageNeverPull', message);
      throw new ImageError('ErrImageNeverPull', message);
    }
    const key = `${pod.metadata.uid}_${asked}`;
    if (this.#backoff.isInBackoffSinceUpdate(key, this.#context.now)) {
      const message = `Back-off pulling image "${asked}"`;
      event('Normal', 'BackOff', message);
      const last = this.#lastErrors.get(key);
      throw new ImageError('ImagePullBackOff', last ? `${message}: ${last}` : message);
    }
    this.#lastErrors.delete(key);
    event('Normal', 'Pulling', `Pulling image "${asked}"`);
    const start = this.#context.now;
    try {
      const { image, ms } = await this.#context.step(pod, `pull image ${asked}`, cause, () => this.#pullInTurn(name), {
        container: container.name,
        image: asked,
      });
      const waited = goDuration(this.#context.now - start);
      event(
        'Normal',
        'Pulled',
        `Successfully pulled image "${asked}" in ${goDuration(ms)} (${waited} including waiting). Image size: ${image.sizeBytes} bytes.`,
      );
      return image;
    } catch (error) {
      if (!(error instanceof CriError)) throw error;
      // The code says nothing when it is Unknown, and is left out.
      const text = error.code === 'Unknown' ? error.description : error.message;
      event('Warning', 'Failed', `Failed to pull image "${asked}": ${text}`);
      this.#backoff.next(key, this.#context.now, this.#context.now);
      this.#lastErrors.set(key, `ErrImagePull: ${text}`);
      throw new ImageError('ErrImagePull', text);
    }
  }

  /** A Pod is gone. */
  forget(podUid: string): void {
    this.#backoff.forget(`${podUid}_`);
    for (const key of this.#lastErrors.keys()) if (key.startsWith(`${podUid}_`)) this.#lastErrors.delete(key);
  }

  async #pullInTurn(name: string): Promise<{ readonly image: Image; readonly ms: number }> {
    while (this.#busy) {
      await this.#context.process.park<void>((wake) => {
        this.#turns.push(wake);
      });
    }
    this.#busy = true;
    const start = this.#context.now;
    try {
      const image = await this.#images.pull(name);
      return { image, ms: this.#context.now - start };
    } finally {
      this.#busy = false;
      this.#turns.shift()?.();
    }
  }
}

/** The name with `latest` if it has neither a tag nor a digest. Throws ReferenceError. */
function withTag(name: string): string {
  const { tag, digest } = parseReference(name);
  return tag === undefined && digest === undefined ? `${name}:latest` : name;
}
