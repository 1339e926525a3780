import { RE2JS } from 're2js'
import { messageOf } from '../../observability/thrown.ts'

/** The most states that the automaton of one pattern may have, and those of all patterns of one schema together. */
export const PATTERN_LIMITS = Object.freeze({ states: 2_000, statesOfAll: 10_000 })

/**
 * What a pattern costs: about how many states its automaton has, or why it cannot be used. Known before it is compiled, since the
 * repetitions of 2.7 kB of text, `\pL{1000}` three hundred times, kept the compiler and the first match busy for 15 s.
 */
export function patternCost(pattern: string): number | { readonly problem: string } {
  const states = estimateStates(pattern)
  if (states > PATTERN_LIMITS.states)
    return { problem: `needs an automaton of more than ${PATTERN_LIMITS.states} states: its repetitions multiply` }
  try {
    return Math.max(states, RE2JS.compile(pattern).programSize())
  } catch (error) {
    return { problem: `cannot run in linear time: ${messageOf(error)}` }
  }
}

/** Counts what RE2 compiles: each character or class is a state, and a repetition a copy of what it repeats. Never compiles. */
function estimateStates(pattern: string): number {
  const outer: Group[] = []
  let group: Group = { sum: 0, last: 0 }
  const atom = (states: number) => {
    group.sum += states
    group.last = states
  }
  for (let at = 0; at < pattern.length && group.sum <= PATTERN_LIMITS.states; at += 1) {
    switch (pattern[at]) {
      case '\\':
        at +=
          /^\\(?:[pP]\{[^}]*\}|x\{[^}]*\}|Q(?:(?!\\E)[^])*(?:\\E)?|[^])/.exec(pattern.slice(at, at + LONGEST_ESCAPE))?.[0]
            .length ?? 1
        at -= 1
        atom(1)
        break
      case '[': {
        const length = classLength(pattern, at)
        at += length - 1
        // A class is one state with a list of ranges; putting together those of Unicode takes longest.
        atom(1 + Math.floor(length / 16) + 8 * (pattern.slice(at - length, at).match(/\\[pP]/g)?.length ?? 0))
        break
      }
      case '(':
        outer.push(group)
        group = { sum: 2, last: 0 }
        break
      case ')': {
        const { sum } = group
        group = outer.pop() ?? { sum: 0, last: 0 }
        atom(sum)
        break
      }
      case '{': {
        const [repeat, least = '', comma, most = ''] = /^\{(\d{1,9})(,?)(\d{0,9})\}/.exec(pattern.slice(at, at + 24)) ?? []
        if (repeat === undefined) {
          atom(1)
          break
        }
        const copies = Math.max(Number(least) + (comma && most === '' ? 1 : 0), Number(most), 1)
        group.sum += group.last * (copies - 1)
        group.last *= copies
        at += repeat.length - 1
        break
      }
      case '*':
      case '+':
      case '?':
      case '|':
        group.sum += 1
        group.last += 1
        break
      default:
        atom(1)
    }
  }
  return outer.reduce((sum, { sum: more }) => sum + more, group.sum)
}

interface Group {
  sum: number
  /** Of what a repetition that follows would repeat. */
  last: number
}

/** `\Q…\E` stands for many characters; a longer one is counted in pieces. */
const LONGEST_ESCAPE = 256

/** How long the class that begins at `from` is. A `]` that stands first in it is one of its characters. */
function classLength(pattern: string, from: number): number {
  let at = pattern[from + 1] === '^' ? from + 2 : from + 1
  if (pattern[at] === ']') at += 1
  for (; at < pattern.length && pattern[at] !== ']'; at += 1) {
    if (pattern[at] === '\\') at += 1
    else if (pattern.startsWith('[:', at)) {
      at += /^\[:\^?[a-z]{1,10}:\]/.exec(pattern.slice(at, at + 16))?.[0].length ?? 1
      at -= 1
    }
  }
  return at - from + 1
}
