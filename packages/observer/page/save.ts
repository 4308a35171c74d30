/** Saves what the page has as a file. */

/** Has the browser save a file under a name. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  // The browser reads the blob in a task of its own.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

/** Gives a name for a file without what file systems refuse: `trace-Process-12.jsonl`. */
export function fileName(...parts: readonly string[]): string {
  return parts
    .map(part => part.replace(/[^\w.@-]+/g, '-').replace(/^-+|-+$/g, ''))
    .join('-')
    .replace(/-+\./g, '.')
}
