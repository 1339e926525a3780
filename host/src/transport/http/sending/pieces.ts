import type { ServerResponse } from 'node:http'
import { unreadAnswers } from './unread-answers.ts'

/** What is longer is sent in pieces of this size, in bytes. */
export const PIECE = 262_144

/**
 * Ends a response with a long body, a piece at a time, each when the client took the one before: so it is seen who reads, however slowly,
 * and what is not taken yet is held once and not copied.
 */
export function endInPieces(res: ServerResponse, body: Buffer, unread = unreadAnswers): void {
  let at = 0
  const next = () => {
    while (at < body.length && !res.destroyed) {
      const piece = body.subarray(at, at + PIECE)
      at += piece.length
      if (at === body.length) {
        res.off('drain', next)
        res.end(piece)
        return unread.add(res, piece.length, at - piece.length)
      }
      if (!res.write(piece)) return unread.add(res, body.length - at + piece.length, at - piece.length)
    }
  }
  res.on('drain', next)
  next()
}
