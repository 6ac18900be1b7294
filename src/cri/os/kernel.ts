/** What `uname -r` and a node's status say: there is no real kernel below. */
export const KERNEL_VERSION = '6.12.0-tabernetes';
/** As `uname -m` names it. */
export const MACHINE = 'x86_64';
