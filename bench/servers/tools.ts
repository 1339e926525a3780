// What every server under test serves: echo, and fillers of a usual size.

export const FILLERS = Number(process.env['FILLERS'] ?? 10)
export const PORT = Number(process.env['PORT'] ?? 0)
export const IS_STDIO = process.env['TRANSPORT'] === 'stdio'

export const echo = { name: 'echo', description: 'Returns the text unchanged.' }

export const fillers = Array.from({ length: FILLERS }, (_, index) => ({
  name: `search_items_${index}`,
  description: `Searches the items of collection ${index} and returns a page of matches with their key, title and state.`,
}))
