/**
 * Memory for what is written out and then needed no more, used again as soon as it was written: 100 KB for each large message, made new,
 * had V8 mark all of its heap ten times a second.
 */
export interface ReusedMemory {
  /** At least `bytes` of it; what it holds is undefined. */
  take(bytes: number): Buffer
  /** Gives back what was taken, once nothing reads or writes it any more. What is never given back is collected. */
  giveBack(memory: Buffer): void
}

/** Keeps up to `most` pieces of `pieceBytes`; what is larger is made new, and not kept. */
export function createReusedMemory({ pieceBytes, most }: { readonly pieceBytes: number; readonly most: number }): ReusedMemory {
  const free: Buffer[] = []
  return {
    take: (bytes) => (bytes <= pieceBytes ? (free.pop() ?? Buffer.allocUnsafeSlow(pieceBytes)) : Buffer.allocUnsafeSlow(bytes)),
    giveBack(memory) {
      if (memory.length === pieceBytes && free.length < most) free.push(memory)
    },
  }
}
