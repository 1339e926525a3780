/** The weather service as its tools need it. */
export class Weather {
  #http

  /** @param {import('@mcp-patchbay/plugin-api').HttpClient} http */
  constructor(http) {
    this.#http = http
  }

  /**
   * @param {string} city
   * @returns {Promise<{ city: string, celsius: number, sky: string }>}
   */
  forecast(city) {
    return this.#http.json(`/forecast/${encodeURIComponent(city)}`)
  }
}
