import { Check } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { HTMLAttributes, ReactNode, Ref } from 'react';
import styles from './menu.module.css';

interface MenuProps {
  readonly trigger: ReactNode;
  readonly children: ReactNode;
}

/** A button that opens a list of things to choose from. */
export function Menu({ trigger, children }: MenuProps) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className={styles.menu} align="end" sideOffset={4} collisionPadding={8}>
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface MenuItemProps extends HTMLAttributes<HTMLDivElement> {
  readonly icon?: ReactNode;
  /** Given: the item can be on or off. */
  readonly checked?: boolean;
  readonly note?: ReactNode;
  readonly ref?: Ref<HTMLDivElement>;
}

/** The look of an item, to be put `asChild` into one of Radix' items. */
export function MenuItem({ icon, checked, note, children, ...rest }: MenuItemProps) {
  return (
    <div {...rest} className={styles.item}>
      {checked === undefined ? icon : <span className={styles.mark}>{checked && <Check />}</span>}
      {children}
      {note !== undefined && <span className={styles.note}>{note}</span>}
    </div>
  );
}

interface MenuChoicesProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly choices: readonly { readonly value: Value; readonly text: string }[];
  readonly onChoose: (value: Value) => void;
}

/** One of several. */
export function MenuChoices<Value extends string>({ label, value, choices, onChoose }: MenuChoicesProps<Value>) {
  return (
    <DropdownMenu.RadioGroup value={value} onValueChange={(chosen) => onChoose(chosen as Value)} aria-label={label}>
      <DropdownMenu.Label className={styles.label}>{label}</DropdownMenu.Label>
      {choices.map((choice) => (
        <DropdownMenu.RadioItem key={choice.value} value={choice.value} asChild>
          <MenuItem checked={choice.value === value}>{choice.text}</MenuItem>
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className={styles.separator} />;
}
