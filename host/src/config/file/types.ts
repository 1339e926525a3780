/** The file a config was read from. */
export interface ConfigSource {
  readonly file: string
  /** Its content, to find the line of a fault in. */
  readonly text: string
}
