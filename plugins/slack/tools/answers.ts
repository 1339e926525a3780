import type { Listed } from '../client.ts'

/** Paragraphs with an empty line between them; those that are undefined or empty are left out. */
export function paragraphs(...parts: readonly (string | undefined)[]): string {
  return parts.filter(Boolean).join('\n\n')
}

/** Tells the model how to go on, or nothing where the list ends. */
export function cursorNote({ response_metadata }: Listed): string | undefined {
  const cursor = response_metadata?.next_cursor
  return cursor ? `There is more: call again with cursor \`${cursor.replaceAll('`', '')}\`.` : undefined
}
