/** The two forms that an answer to a POST can have, and whether the client takes each. */
export interface AnswerForms {
  readonly json: boolean
  readonly stream: boolean
}

/** What nearly every client sends, and what a client without the header takes. */
const BOTH: AnswerForms = Object.freeze({ json: true, stream: true })
const ORDINARY = 'application/json, text/event-stream'

/**
 * The forms that an `Accept` header admits (RFC 9110, section 12.5.1): the most exact range that matches a media type decides, a weight
 * of 0 refuses it, and without the header everything is taken.
 */
export function acceptedForms(accept: string | undefined): AnswerForms {
  if (accept === ORDINARY || accept === undefined || accept.trim() === '') return BOTH
  const ranges = accept.toLowerCase().split(',').map(parseRange)
  return { json: isAccepted('application/json', ranges), stream: isAccepted('text/event-stream', ranges) }
}

interface Range {
  readonly type: string
  readonly weight: number
}

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim())
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice('q='.length)
  return { type, weight: weight === undefined ? 1 : Number(weight) }
}

function isAccepted(type: string, ranges: readonly Range[]): boolean {
  const [family = ''] = type.split('/', 1)
  for (const wanted of [type, `${family}/*`, '*/*']) {
    const range = ranges.find((candidate) => candidate.type === wanted)
    if (range) return range.weight > 0
  }
  return false
}
