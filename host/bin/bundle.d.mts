export function isCurrent(folder: URL, base: URL): boolean
