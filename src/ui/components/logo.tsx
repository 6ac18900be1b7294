/** The mark: a browser tab with a cluster in it. */
export function Logo() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <path
        d="M3 9.5A4.5 4.5 0 0 1 7.5 5H15l3.2 4.5H29V23a4.5 4.5 0 0 1-4.5 4.5h-17A4.5 4.5 0 0 1 3 23z"
        fill="currentColor"
      />
      <g stroke="var(--surface)" strokeWidth="1.4" fill="var(--surface)">
        <path d="M9.5 15.5 16 19l6.5-3.5M16 19v5" fill="none" />
        <circle cx="16" cy="19" r="2" />
        <circle cx="9.5" cy="15.5" r="1.2" />
        <circle cx="22.5" cy="15.5" r="1.2" />
        <circle cx="16" cy="24" r="1.2" />
      </g>
    </svg>
  );
}
