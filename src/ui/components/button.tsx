import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import styles from './button.module.css';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: 'normal' | 'primary' | 'quiet';
  readonly ref?: Ref<HTMLButtonElement>;
}

const classes = (...names: readonly (string | false | undefined)[]) => names.filter(Boolean).join(' ');

export function Button({ look = 'normal', className, type = 'button', ...rest }: ButtonProps) {
  return (
    <button type={type} className={classes(styles.button, look !== 'normal' && styles[look], className)} {...rest} />
  );
}

/** A button that shows only an icon; its name is its label, shown as a tooltip too. */
export function IconButton({
  label,
  children,
  className,
  look = 'quiet',
  title,
  ...rest
}: ButtonProps & { readonly label: string; readonly children: ReactNode }) {
  return (
    <Button look={look} className={classes(styles.icon, className)} aria-label={label} title={title ?? label} {...rest}>
      {children}
    </Button>
  );
}
