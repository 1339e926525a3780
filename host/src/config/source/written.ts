/** A value as it is written in the text of a config. Offsets into that text, `end` behind it. */
export interface WrittenValue {
  readonly start: number
  readonly end: number
  /** The value is an object or a mapping: what is written for each of its keys. */
  readonly members?: ReadonlyMap<string, WrittenMember>
  /** The value is a list: what is written for each of its items; undefined for one that is computed. */
  readonly items?: readonly (WrittenValue | undefined)[]
  /** Of a list in block style, where the dash of each item is. */
  readonly dashes?: readonly number[]
}

/** A key and what is written behind it; `value` is undefined where that is computed. */
export interface WrittenMember {
  readonly name: string
  /** Where the key begins. */
  readonly start: number
  readonly value: WrittenValue | undefined
}

/** The text of a config as it is written. A config may be a program, so a part of it may be computed, and then stands nowhere. */
export interface WrittenConfig {
  /** The config itself; undefined where the file does not say plainly which value that is. */
  readonly root: WrittenValue | undefined
  /** Every key of every object in the file. */
  readonly members: readonly WrittenMember[]
}

/** What is known of a text that cannot be read. */
export const NOTHING_WRITTEN: WrittenConfig = Object.freeze({ root: undefined, members: [] })
