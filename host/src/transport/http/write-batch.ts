import type { ServerResponse } from 'node:http'

/**
 * Has answers that become ready in one turn of the event loop written together, once every socket was read: the first write wakes the
 * client, and those behind it find it awake. With 32 connections a write each cost a sixth of a call; one alone loses nothing.
 */
export function writeSoon(res: ServerResponse, write: () => void): void {
  if (waiting.length === 0) setImmediate(writeAll)
  waiting.push({ res, write })
  // Who was ready first does not wait for hundreds.
  if (waiting.length >= MOST) writeAll()
}

const MOST = 32
let waiting: { readonly res: ServerResponse; readonly write: () => void }[] = []

function writeAll(): void {
  const ready = waiting
  waiting = []
  for (const { res, write } of ready) {
    try {
      write()
    } catch (error) {
      // One that cannot be written must not keep the others from it.
      res.destroy(error as Error)
    }
  }
}
