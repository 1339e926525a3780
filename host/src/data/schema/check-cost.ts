import { RE2JS } from 're2js'

/**
 * What checking one value may cost, in steps of 20 ns at worst: a state of a pattern at one character, a subschema at one value. A bound
 * of its size alone would not do: the cost is the size times what the schema does with it.
 */
export const MOST_STEPS = 20_000_000

/** Checking the value would stop everything else for too long. The message follows the name of the value. */
export class TooCostly extends Error {}

let steps = 0

/** What is spent from here on is for one value. Checking is synchronous, so one counter does for all. */
export function beginCheck(): void {
  steps = 0
}

/** Throws {@link TooCostly} when it is more than one value may cost. */
export function spend(more: number): void {
  steps += more
  if (steps > MOST_STEPS) throw new TooCostly('is too large to be checked against its schema')
}

/** Linear in the length of the text, whatever the pattern: `^(a+)+$` cost V8's engine 1.6 s on 28 characters. */
export function linearPattern(pattern: string): RegExp {
  const compiled = RE2JS.compile(pattern)
  const states = compiled.programSize()
  const test = (text: string) => {
    spend(text.length * states)
    return compiled.test(text)
  }
  // Ajv shares patterns by their toString: without this one, every pattern would be the first one.
  return { test, toString: () => `/${pattern}/` } as RegExp
}
