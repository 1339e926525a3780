/**
 * Does `action` without the warning that the Node feature it uses is experimental: one is enough to know that, and it is we who chose
 * it. Any other warning passes. Node warns of each feature once, so only the first use needs this.
 */
export function withoutWarningOf<Result>(feature: string, action: () => Result): Result {
  const original = Object.getOwnPropertyDescriptor(process, 'emitWarning')
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = (...args: unknown[]) => {
    if (!String(args[0]).startsWith(`${feature} is an experimental feature`)) Reflect.apply(emitWarning, undefined, args)
  }
  try {
    return action()
  } finally {
    Object.defineProperty(process, 'emitWarning', original ?? { value: emitWarning })
  }
}
