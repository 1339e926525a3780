export function isCurrent(folder: URL, base: URL, isPublished: boolean): boolean
