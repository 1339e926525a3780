/**
 * The same code in ASCII. V8 keeps the text of every module that it has read, with two bytes for each character as soon as one is beyond
 * Latin-1: one dash in the text of an error is 1.6 MB of a host. No line becomes two.
 */
export function inAscii(code) {
  return code.replaceAll(/(\\*)([^\0-\x7f])/g, (_, slashes, character) => {
    const escaped = `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
    // A backslash that stood before the character for nothing would take away the one of its escape.
    return slashes.length % 2 === 1 ? slashes.slice(1) + escaped : slashes + escaped
  })
}
