import { Component, type ReactNode } from 'react';
import { messageOf } from '../cluster-store/cluster-store.ts';

interface Props {
  readonly children: ReactNode;
  /** What shows instead of the children that failed; `again` draws them anew. */
  readonly fallback: (message: string, again: () => void) => ReactNode;
}

/** Keeps a fault of what it holds from taking the page along. */
export class ErrorBoundary extends Component<Props, { readonly message: string | undefined }> {
  override state: { readonly message: string | undefined } = { message: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { message: messageOf(error) };
  }

  override render() {
    const { message } = this.state;
    return message === undefined
      ? this.props.children
      : this.props.fallback(message, () => this.setState({ message: undefined }));
  }
}
