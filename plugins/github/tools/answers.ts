import type { Page } from '../client.ts'
import { textBlock } from '../text-block.ts'

/** The parts of GitHub's answers that more than one tool shows. */
export interface Account {
  readonly login: string
}

/** Paragraphs with an empty line between them; those that are undefined or empty are left out. */
export function paragraphs(...parts: readonly (string | undefined)[]): string {
  return parts.filter(Boolean).join('\n\n')
}

/** Tells the model how to go on, or nothing where the list ends. */
export function pageNote({ page, next, last }: Pick<Page<unknown>, 'page' | 'next' | 'last'>): string | undefined {
  if (next === undefined) return page > 1 ? `Page ${page}, the last.` : undefined
  return `Page ${page}${last === undefined ? '' : ` of ${last}`}. There is more: call again with page ${next}.`
}

/** What a person wrote, under its own heading, shown and not rendered. */
export function written(heading: string, text: string | null | undefined): string | undefined {
  return text ? `**${heading}**\n\n${textBlock(text, { language: 'markdown' })}` : undefined
}

export function logins(accounts: readonly Account[] | null | undefined): string[] {
  return (accounts ?? []).map((account) => account.login)
}

/** GitHub gives a label as its name or as an object. */
export function labelNames(labels: readonly (string | { readonly name?: string | null })[] | undefined): string[] {
  return (labels ?? []).flatMap((label) => (typeof label === 'string' ? label : label.name) ?? [])
}
