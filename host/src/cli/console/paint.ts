import { stripVTControlCharacters, styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Colours a text for one stream; where that is no terminal, or NO_COLOR is set, it stays as it is. */
export type Paint = (style: Style, text: string) => string

export function paintFor(stream: NodeJS.WritableStream): Paint {
  return (style, text) => styleText(style, text, { stream })
}

/** A text that a plugin or a file had a hand in, without anything that a terminal would obey. Line breaks and tabs stay. */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- that is what is taken out
  return stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
