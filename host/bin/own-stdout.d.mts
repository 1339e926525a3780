export function ownStdout(): void
export function saysStdio(args: readonly string[]): boolean
export function takeOwnDescriptor(): number | undefined
